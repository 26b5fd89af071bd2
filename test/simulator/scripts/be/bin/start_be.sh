#!/usr/bin/env bash
#@ since 2.3

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

exec $curdir/start_backend.sh --be "$@"
#@ until 2.3

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

OPTS=$(getopt -n $0 -o '' -l 'daemon' -- "$@")
eval set -- "$OPTS"

RUN_DAEMON=0
while true; do
    case "$1" in
        --daemon) RUN_DAEMON=1 ; shift ;;
        --) shift ; break ;;
        *) echo "Internal error" ; exit 1 ;;
    esac
done

export STARROCKS_HOME=`cd "$curdir/.."; pwd`
export DORIS_HOME="$STARROCKS_HOME"
source $STARROCKS_HOME/bin/common.sh

export UDF_RUNTIME_DIR=$STARROCKS_HOME/lib/udf-runtime
export LOG_DIR=$STARROCKS_HOME/log
export PID_DIR=`cd "$curdir"; pwd`

export_env_from_conf $STARROCKS_HOME/conf/be.conf

if [ -e $STARROCKS_HOME/conf/hadoop_env.sh ]; then
    source $STARROCKS_HOME/conf/hadoop_env.sh
fi

if [ "$JAVA_HOME" = "" ]; then
    export LD_LIBRARY_PATH=$STARROCKS_HOME/lib/jvm/amd64/server:$STARROCKS_HOME/lib/jvm/amd64:$LD_LIBRARY_PATH
else
    export LD_LIBRARY_PATH=$JAVA_HOME/lib/server:$JAVA_HOME/lib:$LD_LIBRARY_PATH
fi
export LIBHDFS_OPTS=$JAVA_OPTS

if [ ! -d $LOG_DIR ]; then
    mkdir -p $LOG_DIR
fi
if [ ! -d $UDF_RUNTIME_DIR ]; then
    mkdir -p $UDF_RUNTIME_DIR
fi
rm -f $UDF_RUNTIME_DIR/*

pidfile=$PID_DIR/be.pid
if [ -f $pidfile ]; then
    if kill -0 $(cat $pidfile) > /dev/null 2>&1; then
        echo "Backend running as process `cat $pidfile`. Stop it first."
        exit 1
    else
        rm $pidfile
    fi
fi

chmod 755 $STARROCKS_HOME/lib/starrocks_be
echo "start time: "$(date) >> $LOG_DIR/be.out

if [[ $(ulimit -n) -lt 60000 ]]; then
    ulimit -n 65535
fi

if [ ${RUN_DAEMON} -eq 1 ]; then
    nohup $STARROCKS_HOME/lib/starrocks_be "$@" >> $LOG_DIR/be.out 2>&1 </dev/null &
else
    $STARROCKS_HOME/lib/starrocks_be "$@" >> $LOG_DIR/be.out 2>&1 </dev/null
fi
