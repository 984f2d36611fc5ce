"""What the options of `actool patch-manifest` and `actool init` change in an image manifest.

Modules, from top to bottom:

    isolator_options  values of the options for isolators, parsed
    manifest_options  values of the other options, parsed
    manifest_changes  what is to change, as one value, and the changes made
    removals          what --remove takes out of a manifest

Source: aci.md, Image Manifest Schema.
"""
