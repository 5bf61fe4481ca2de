"""Every variant is built, run on the golden inputs, scored on the evaluation set, judged and timed."""
