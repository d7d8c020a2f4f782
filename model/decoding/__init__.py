"""From encoded bytes to one small upright sRGB picture; what model.image is made of.

    formats    which format the bytes are of
    header     what a decode will cost, and the reading of each format's header: jpeg, png, webp, gif, bmp, tiff, boxes …
    picture    the decode itself, with Pillow
    alone      the same in a process of its own, for decoders that no header bounds
    colour, code_points, depth, wide, orientation    what makes pixels comparable

Nothing here imports NumPy before it is needed: the decoder's own process starts in a tenth of the time without it.
"""
