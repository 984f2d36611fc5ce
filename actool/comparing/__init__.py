"""What differs between two images, and why a layout does not build one again: all of `actool diff` and `actool verify-repro`.

Modules, from top to bottom:

    reproduction          whether a layout builds an image again
    causes                why it does not
    difference_lines      differences, as lines and as JSON
    comparison            two images compared
    differences           what differs between the files of two images
    manifest_differences  what differs between two manifests
    snapshot              all that an image says of its files, in the order of a tree
    content_digest        a digest of a file's content that does not count through holes
    rebuilt               the image of a layout, read while it is made

Source: aci.md, Image Archives and Image ID.
"""
