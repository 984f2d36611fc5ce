"""What the options of `actool patch-manifest` and `actool init` change in an image manifest.

Modules, from top to bottom:

    isolator_options  what the words behind the options for isolators mean
    manifest_options  what the words behind the other options mean
    manifest_changes  what is to change, as one value, and the changes made
    removals          what --remove takes out of a manifest

Source: aci.md, Image Manifest Schema.
"""
