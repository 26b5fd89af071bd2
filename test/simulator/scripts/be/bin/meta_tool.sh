#!/usr/bin/env bash

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`
export STARROCKS_HOME=`cd "$curdir/.."; pwd`
#@ until 3.3

export LD_LIBRARY_PATH=$STARROCKS_HOME/lib/hadoop/native:$LD_LIBRARY_PATH
$STARROCKS_HOME/lib/starrocks_be meta_tool "$@"
#@ since 3.3

exec $STARROCKS_HOME/bin/start_backend.sh --be --meta_tool -- "$@"
