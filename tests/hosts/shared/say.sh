#!/bin/sh
echo "script says $*"; pwd
