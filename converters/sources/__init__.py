"""The trained model: opened, fused from two parts where asked, and held against the spec."""
