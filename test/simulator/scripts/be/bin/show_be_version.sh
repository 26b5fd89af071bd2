#!/usr/bin/env bash

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`
export STARROCKS_HOME=`cd "$curdir/.."; pwd`

source $STARROCKS_HOME/bin/common.sh

if [ "$JAVA_HOME" != "" ]; then
    export LD_LIBRARY_PATH=$JAVA_HOME/lib/server:$JAVA_HOME/lib
fi
#@ since 3.4 until 4.1
export LD_LIBRARY_PATH=$STARROCKS_HOME/lib:$LD_LIBRARY_PATH
#@ since 4.1
export LD_LIBRARY_PATH=$STARROCKS_HOME/lib/jemalloc:$LD_LIBRARY_PATH
#@ always

$STARROCKS_HOME/lib/starrocks_be --version
