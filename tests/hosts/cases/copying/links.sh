#!/bin/sh
# A folder with links of all kinds.
set -e
mkdir -p "$1/folder/inner"
cd "$1"
echo file >file
echo inner >folder/inner/file
ln -s file to-file
ln -s folder to-folder
ln -s nowhere broken
ln -s ../file folder/up
