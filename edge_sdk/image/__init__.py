"""Pictures before and after the model: the same arithmetic on the workstation and in the field.

- :mod:`.picture_file`: picture files as upright pixels, and back (Pillow)
- :mod:`.video_file`: video files as frames (OpenCV)
- :mod:`.placement`: where a picture lands in a model's input, and where a box lands in the picture
- :mod:`.prepare`: a picture into the tensor that a model takes (OpenCV)
- :mod:`.draw`: what was found, drawn into the picture (Pillow)
- :mod:`.opencv_linear`: OpenCV's usual way of resizing, to the same bits on every machine
- :mod:`.opencv`: the one module that imports OpenCV

Importing this package loads nothing; Pillow and OpenCV are loaded by the first function that needs them.
"""
