"""One MQTT connection that comes back, for devices and for servers. Only :mod:`.client` knows paho."""
