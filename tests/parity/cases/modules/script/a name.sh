#!/bin/sh
echo "called with $1"
