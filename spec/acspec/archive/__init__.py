"""Image archives: one strict reader for all programs, extraction that follows no link, and a deterministic writer.

Not the library's `tarfile`: damaged headers read there as shorter archives, and its filters can be escaped.
Modules, from top to bottom:

    splice          an image copied with another manifest
    write           an image archive written from a layout directory, or from what is read like an archive
    walk            a layout directory read as the entries of an image
    first_names     the first names of files that have several
    ignore          what a layout leaves out of its image
    resize          headers of a file made to announce data of another size
    encode          an entry into header blocks
    blocks          a stream cut into blocks: hashed, compressed, written in order
    encoders        compressors of blocks
    rendered        the layers of an image, read as one image
    layers          which layer's entry lies at a path in the end
    index           one image read once, its entries to be had by path
    entry_log       entries put aside in a spool
    sorted_log      keys in their order, however many
    spool           bytes appended and read anywhere, in a temporary file once they are many
    render          one image laid over a tree, filtered by a whitelist
    links           where content goes when a hard link stays and its target does not
    extract         files of an image written into a tree
    plain           tar archives that need be no images
    image           whole images: decompressed, hashed, parsed and checked in one pass
    open_directories  directories of a tree, opened without following links
    directory_log   modes and times of directories, kept for the end
    losses          what could not be kept
    xattrs          extended attributes: which are applied, and how
    layout          what an archive must be to be an image
    path_table      paths in eight bytes each
    path_index      paths in sixteen bytes each, with a number of their own
    lookup          paths followed through links as in a chroot
    reader          the members of a tar archive
    extensions      pax headers and GNU's long names, and the entry they make
    pax             extended headers into values
    sparse          maps of sparse files
    acl             access control lists from text
    member_names    names in one spelling
    stream          uncompressed bytes, taken in order
    feeds           how uncompressed bytes come: read in this thread, or made ahead in another
    buffers         memory of large buffers, reused for the next ones
    compression     gzip, bzip2 and xz, read to their very end
    header          the header block
    pgp             encrypted and signed data, recognised by its first bytes
    source          the bytes as served
    entry           one file of an archive, as a value
    faults          the exceptions raised below `image`

Source: aci.md, Image Archives; spec/image-archive.md.
"""
