"""The App Container format: values, readers and directories that all four tools share.

Standard library only, but for four members: `openpgp` (python-gnupg), `archive` (isal, pathspec), `schema` (jsonschema) and
`commands` (Typer). It opens no socket and makes no system call by hand. Modules, from top to bottom:

    resolution      which image an argument or a dependency means
    layer_plan      which layers make a tree, and what a whitelist keeps
    archive         image archives: one strict reader, an extractor, a writer
    store           images on disk, under their IDs
    freshness       until when an image of the store counts as current
    pods            pod directories: phases, locks, names, and what they were made from
    schema          all faults of a manifest at once, by JSON Schema
    pod_manifest    the pod manifest
    image_manifest  the image manifest
    app             what is run: the app of an image or of a pod
    set_options     options for sets of capabilities and system calls
    isolators       isolators, and what they mean
    volumes         volumes, mount points, mounts
    capabilities    the names of capabilities, and the sets that isolators ask for
    isolator_names  the names of isolators
    labels          labels, and when they match
    quantities      quantities of resources, exactly
    timestamps      points in time
    urls            URLs of the web, checked
    references      image arguments, as typed
    fingerprints    fingerprints of keys
    names           AC Names and Identifiers, image IDs, versions
    configuration   files of the configuration, merged key by key
    fields          keys of JSON objects read as types, each fault with its place
    passphrase      where a passphrase comes from
    jsontext        JSON, strictly
    openpgp         signatures, keys and encryption through gpg
    commands        subcommands of a tool, and their help
    direct_calls    subcommands called without an option parser
    program         how a program starts, fails and ends
    option_words    values of options that have parts, such as NAME,KEY=VALUE
    durations       lengths of time, as typed
    image_use       images of a store: locked while they are used, dated when they were
    usage_errors    Typer's errors as errors of this suite
    directories     where data, pods and configuration lie
    execution       what executors and checks of images agree on
    image_outputs   where images may be written, and how they appear whole
    durable         files that appear whole or not at all
    descriptors     all of the bytes written, all other descriptors closed
    ownership       whose a file is, and who else can write to it
    locks           locks that say who is at work
    values          frozen classes, made of their annotations
    typed           named tuples and protocols, at a small price
    errors          what can go wrong, and the exit code of each
    escape          values from outside, safe to print
    sizes           numbers of bytes, for people
    limits          every limit on bytes from outside
"""

VERSION = "0.1.0"  # of all four tools, and of the distribution
SPEC_VERSION = "0.8.11"
