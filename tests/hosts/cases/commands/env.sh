#!/bin/sh
echo "x=$X user=$(id -un) home=$HOME at $(pwd)"
