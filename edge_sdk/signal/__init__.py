"""Sound before the model: the same arithmetic on the workstation and in the field.

- :mod:`.mel`: mel filterbanks
- :mod:`.log_mel`: the log-mel spectrogram of one window
- :mod:`.sliding`: a stream of samples into overlapping windows, work shared between them
- :mod:`.resample`: a stream of samples to another rate (soxr)
- :mod:`.audio_file`: WAV, FLAC and OGG files as streams of mono blocks (soundfile)

Importing this package loads NumPy and msgspec; soxr and soundfile are loaded by the
first object that needs them.
"""
