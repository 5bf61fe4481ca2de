"""A bundle on labelled data, run as a device runs it: recordings, pictures, pictures with boxes."""
