"""acfetch: from a name to a verified image in the store.

The only program with an HTTP client; it needs no root and runs nothing it fetches. Modules, from top to bottom:

    cli              the command line: which subcommand, and the exit code
    hints            what was meant by commands and options that acfetch does not have
    command_fetch    `acfetch fetch`
    command_trust    `acfetch trust`
    command_discover  `acfetch discover`
    command_images   `acfetch images`
    command_gc       `acfetch gc`
    command_config   `acfetch config`
    listing          images as people and programs read of them
    collection       the sequence of a collection: what nobody uses and nothing needs
    removal          images taken out of the store: all that are named, or none
    audit            images hashed again where they lie; damaged ones set aside
    export           an image copied out of the store
    leftovers        files in the store that belong to no image
    image_lookup     which image of the store an argument means
    dependency_graph  which images need which (no input or output)
    agreement        a person asked at the terminal whether to trust a key
    newkeys          keys to be trusted: read, agreed to, added to the keystore
    endpoints        where an image and keys may lie, without fetching any
    fetch            the sequence: images with all they depend on, into the store
    obtaining        one image, from its places to verified files
    prefetch         images fetched in threads before the sequence comes to them
    options          what the command line says about a fetch
    lockfile         lock files: what words led to, and every image below
    local_images     images of the store, or of this run, that need not be fetched
    pending          verified images that wait for the rest of the run; --output
    attempts         one place tried after another, until one has the image
    download         one pass over an image: fetched, verified, unpacked, hashed, checked
    decryption       an encrypted image, decrypted while it comes
    sources          where an image may come from: the operator's sources, and what is discovered
    request          what is asked for: a name, a URL or a path
    discovery        from a name to templates, by meta tags
    meta             meta tags in a page
    resuming         the download of one image: retried, and resumed where it broke
    partial          broken downloads, kept on disk to be resumed
    disk_space       free space on the disk, reserved for images that are coming
    connection       the network connection of one run, opened when it is first needed
    transports       schemes that programs speak for acfetch
    transfer         one run of such a program
    http             HTTP, and the only import of httpx
    retrying         which failures are retried, how often, and after how long
    caching          how long an answer is good, and how to ask whether it has changed (no input or output)
    ranges           the rest of a body: what is asked, and whether it fits on (no input or output)
    network          the connections below HTTP, and how long a head may take
    pace             the least speed of a body
    config           the configuration: its files, each read when it is asked for
    credentials      which credentials a server gets, read when it asks
    netrc            logins in a netrc file
    auth             what auth.json says, and what servers ask for
    policy           the decision what the operator allows (no input or output)
    mirrors          the operator's sources for prefixes of names
    proxies          the decision which proxy leads to a URL (no input or output)
    settings         what fetch.json sets
    insecure         the words of --insecure-options
    templates        templates into URLs
    keystore         trusted keys on disk
    trust            the decision whether a signature counts (no input or output)
    progress         the events of a run, as bars or lines for a person
    event_stream     the events of a run, as JSON lines for a program
    events           what happens in a run, and who listens to it
    errors           what can go wrong
"""
