"""Where labelled pictures come from, as people have them: each form becomes one Listing of files, labels and parts.

    source     which form it is: a folder, a table, an archive, or any of these in S3
    folders    IMAGE_DIR/<label>/<image>, divided and nested ones among them; walk reads them, directories each
    tables     CSV, JSON Lines and manifests, by the names of their columns
    archives   .zip and .tar, unpacked once; archive_entries says what they hold
    remote     S3, downloaded once
    names      which names are labels, parts of a split, or what some system left behind

No image is opened here.
"""
