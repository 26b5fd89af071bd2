#!/usr/bin/env bash

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

export STARROCKS_HOME=`cd "$curdir/.."; pwd`
export PID_DIR=`cd "$curdir"; pwd`
export LOG_DIR=$STARROCKS_HOME/log
source $STARROCKS_HOME/bin/common.sh

if [ "$JAVA_HOME" = "" ]; then
    echo "Error: JAVA_HOME is not set."
    exit 1
fi
JAVA=$JAVA_HOME/bin/java
JAVA_VERSION=$(jdk_version)
#@ since 3.3
if [[ "$JAVA_VERSION" -lt 11 ]]; then
    echo "JDK $JAVA_VERSION is not supported, please use JDK 11 or 17"
    exit -1
fi
#@ always

for f in $STARROCKS_HOME/lib/*.jar; do
    CLASSPATH=$f:${CLASSPATH}
done
export CLASSPATH=${CLASSPATH}:${STARROCKS_HOME}/lib

# The FE would refuse to start beside the running one, so its pid file is put out of the way meanwhile.
if [ -f $PID_DIR/fe.pid ]; then
    mv $PID_DIR/fe.pid $PID_DIR/fe.pid.bak
fi

$JAVA com.starrocks.StarRocksFE -v 2>/dev/null | tail -8

if [ -f $PID_DIR/fe.pid.bak ]; then
    mv $PID_DIR/fe.pid.bak $PID_DIR/fe.pid
fi
