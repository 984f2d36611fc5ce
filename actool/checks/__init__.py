"""What is wrong with a file, what is odd about it, and how it is reported: all of `actool validate`.

One pass over an image gathers what the lints need of it. Modules, from top to bottom:

    validation      the sequence over many files, their reports, and one exit code
    report_json     reports as JSON
    report_junit    reports as JUnit's XML
    report_sarif    reports as SARIF
    report_github   reports as GitHub's workflow commands
    report_text     reports as lines for people
    file_lists      the files of a command line, and those of a list
    rules           what is looked for, by name
    validate        what a file is, and what is wrong with it
    lints           what bites at run time
    lint_programs   what an app executes
    lint_platform   the labels os and arch beside the ELF files
    lint_owners     the user and the group of an app
    survey          what lints have to know of a rootfs, in one pass
    rootfs_paths    paths resolved inside a rootfs
    rootfs_index    what stands at each path of a rootfs
    odd_files       files that are odd in any image
    programs        how an executable file is run
    elf             the header of an ELF file
    manifests       all that is wrong with a manifest, or odd about it
    lint_manifest   what a manifest should be
    lint_rkt        what the last rkt refuses of a manifest
    positions       places of a JSON document in its text
    reports         what is said of a file, as values

Source: aci.md, pods.md, ace.md.
"""
