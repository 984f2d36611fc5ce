"""actool: build, validate, inspect, change and sign App Container Images. No network, no root.
"""actool: build, validate, inspect, unpack and render App Container Images. No network, no root.

Modules, from top to bottom:

    cli               the command line: which subcommand it is, and the exit code
    command_build     `actool build`
    command_validate  `actool validate`
    command_read      `actool cat-manifest` and `actool id`
    command_ls        `actool ls`
    command_cat       `actool cat`
    command_diff      `actool diff`
    command_repro     `actool verify-repro`
    command_extract   `actool extract`
    command_patch     `actool patch-manifest`
    command_init      `actool init`
    command_sign      `actool sign`
    command_verify    `actool verify`
    command_secrecy   `actool encrypt` and `actool decrypt`
    command_changes   the options for what is in a manifest
    image_options     the options of every command that writes an image
    build             the sequence from the sources of an image to its archive
    depfile           which files an image was made of, for make
    validation        the sequence over many files, their reports, and one exit code
    report_json       reports as JSON
    report_junit      reports as JUnit's XML
    report_sarif      reports as SARIF
    report_github     reports as GitHub's workflow commands
    report_text       reports as lines for people
    rules             what is looked for, by name
    file_lists        the files of a command line, and those of a list
    command_render    `actool render`
    render            the sequence from an image and its dependencies to one without
    build             the sequence from a layout directory to an image
    validate          what a file is, and what is wrong with it
    lints             what bites at run time
    lint_programs     what an app executes
    lint_platform     the labels os and arch beside the ELF files
    lint_owners       the user and the group of an app
    survey            what lints have to know of a rootfs, in one pass
    rootfs_paths      paths resolved inside a rootfs
    rootfs_index      what stands at each path of a rootfs
    odd_files         files that are odd in any image
    programs          how an executable file is run
    elf               the header of an ELF file
    manifests         all that is wrong with a manifest, or odd about it
    lint_manifest     what a manifest should be
    positions         places of a JSON document in its text
    reports           what is said of a file, as values
    read              a manifest or an image ID out of an image
    extract           the sequence from an image to a layout directory
    patch             the sequence from an image to one with another manifest
    init              a first manifest, and the layout directory around it
    isolator_options  what the words behind the options for isolators mean
    manifest_options  what the words behind the other options for manifests mean
    manifest_changes  what options change in a manifest, and the changes made
    removals          what --remove takes out of a manifest
    sign              detached signatures of images, written
    verify            detached signatures of images, verified
    secrecy           images encrypted and decrypted
    content           the content of one file of an image
    reproduction      whether a layout builds an image again
    causes            why it does not
    difference_lines  differences, as lines and as JSON
    comparison        two images compared
    differences       what differs between the files of two images
    manifest_differences  what differs between two manifests
    snapshot          all that an image says of its files, in the order of a tree
    content_digest    a digest of a file's content that does not count through holes
    rebuilt           the image of a layout, read while it is made
    tree_order        paths in any order, brought into that of a tree
    listing           the entries of an image, as lines and as JSON
    name_table        what lies where in a rootfs
    terminal          bytes of files, safe to show
    kept              inputs that are read more than once
    spool             bytes kept in a temporary file once they are many
    gather            the images that one image is made of
    layouts           layout directories that appear whole or not at all
    outputs           images that appear whole or not at all, and standard output
    inputs            files named on the command line, and standard input
    sources           where an image to be built comes from
    outputs           files named on the command line, and standard output
    passphrase        where a passphrase comes from
    errors            what can go wrong
"""
