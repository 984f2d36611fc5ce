"""actool: build, validate, inspect, change and sign App Container Images. No network, no root.

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
    command_render    `actool render`
    command_patch     `actool patch-manifest`
    command_init      `actool init`
    command_sign      `actool sign`
    command_verify    `actool verify`
    command_encryption  `actool encrypt` and `actool decrypt`
    command_changes   the options for what is in a manifest
    image_options     the options of every command that writes an image
    build             the sequence from the sources of an image to its archive
    depfile           which files an image was made of, for make
    checks            what is wrong with files, what is odd about them, and the reports of it
    comparing         what differs between two images, and why
    read              a manifest or an image ID out of an image
    content           the content of one file of an image
    extract           the sequence from an image to a layout directory
    render            the sequence from an image and its dependencies to one without
    gather            the images that one image is made of
    patch             the sequence from an image to one with another manifest
    init              a first manifest, and the layout directory around it
    changes           what options change in a manifest
    sign              detached signatures of images, written
    verify            detached signatures of images, verified
    encryption        images encrypted and decrypted, as a whole
    listing           the entries of an image, as lines and as JSON
    json_lines        JSON on one line, and names in it
    name_table        what lies where in a rootfs
    printable         bytes of files made printable on a terminal
    reusable_inputs   inputs that are read more than once, pipes included
    sources           where an image to be built comes from
    layouts           layout directories that appear whole or not at all
    inputs            files named on the command line, and standard input
    outputs           an image in the place of the one it was made of
    passphrase        the options that say where a passphrase is
    errors            what can go wrong
"""
