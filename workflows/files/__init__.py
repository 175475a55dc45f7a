"""Files of a workspace: what people upload and workflows read and write, each under a path of its own.

A file is a row that says where its content lies: in a Django storage, under `<workspace>/<random>`. The content is
written before the row and never changed; another content under the same path is another object, and the row changes
over to it. So a reader sees the old one or the new one, whole; two writers of one path are told apart by the
database, on any storage; a list is a query; and what people call their files never becomes a path on our disks.

The road not taken is to store a file under its path. Of the storages only a file system can then refuse a name that is
taken without a race, few replace a file at once, none says what type it is of, and a symbolic link or a mount in the
folder leads wherever it likes.
"""
