#!/usr/bin/env bash

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

export STARROCKS_HOME=`cd "$curdir/.."; pwd`
export DORIS_HOME="$STARROCKS_HOME"
export PID_DIR=`cd "$curdir"; pwd`

source $STARROCKS_HOME/bin/common.sh

export_env_from_conf $STARROCKS_HOME/conf/be.conf
#@ since 3.4
export_shared_envvars
#@ always

pidfile=$PID_DIR/be.pid

#@ until 2.3
sig=9

if [ -f $pidfile ]; then
    pid=`cat $pidfile`
    pidcomm=`ps -p $pid -o comm=`
    if [ "starrocks_be"x != "$pidcomm"x ]; then
        echo "ERROR: pid process may not be be. "
        exit 1
    fi
    if kill -0 $pid; then
        if kill -${sig} $pid > /dev/null 2>&1; then
            echo "stop $pidcomm, and remove pid file. "
            rm $pidfile
            exit 0
        else
            exit 1
        fi
    else
        echo "Backend already exit, remove pid file. "
        rm $pidfile
    fi
else
    echo "$pidfile does not exist"
    exit 1
fi
#@ since 2.3 until 3.4
sig=9
#@ since 3.1 until 3.4

usage() {
    echo "
This script is used to stop BE process
Usage:
    sh stop_be.sh [option]

Options:
    -h, --help              display this usage only
    -g, --graceful          send SIGTERM to BE process instead of SIGKILL
"
    exit 0
}

for arg in "$@"; do
    case $arg in
        --help|-h) usage ;;
        --graceful|-g) sig=15 ;;
    esac
done
#@ since 2.3 until 3.4

if [ -f $pidfile ]; then
    pid=`cat $pidfile`
    pidcomm=`ps -p $pid -o comm=`
    if [ "starrocks_be"x != "$pidcomm"x ]; then
        echo "ERROR: pid process may not be be. "
        exit 1
    fi

    if kill -0 $pid >/dev/null 2>&1; then
        kill -${sig} $pid > /dev/null 2>&1
        if [ $? -ne 0 ]; then
            exit 1
        fi
        while kill -0 $pid >/dev/null 2>&1; do
            sleep 1
        done
    fi
    rm $pidfile
fi
#@ since 3.4

SIG=9
TIME_OUT=-1

OPTS=$(getopt -n $0 -o gh -l 'graceful' -l 'timeout:' -l 'help' -- "$@")
eval set -- "$OPTS"

usage() {
    echo "
This script is used to stop BE process
Usage:
    ./stop_be.sh [option]

Options:
    -h, --help              display this usage only
    -g, --graceful          send SIGTERM to BE process instead of SIGKILL
    --timeout               specify the timeout for graceful exit
"
    exit 0
}

while true; do
    case "$1" in
        --timeout) TIME_OUT=$2 ; shift 2 ;;
        --help|-h) usage ; shift ;;
        --graceful|-g) SIG=15 ; shift ;;
        --) shift ; break ;;
    esac
done

# Python UDF workers leave a file with their pid.
find "$UDF_RUNTIME_DIR" -maxdepth 1 -name 'pyworker*' -print0 | while IFS= read -r -d $'\0' worker; do
    pid=$(echo "$worker" | sed -n 's/.*pyworker_\([0-9]*\).*/\1/p')
    if [[ ! -z "$pid" ]]; then
        kill -9 "$pid" > /dev/null
        rm -- "$worker"
    fi
done

if [ -f $pidfile ]; then
    pid=`cat $pidfile`
    pidcomm=`ps -p $pid -o comm=`
    if [ "starrocks_be"x != "$pidcomm"x ]; then
        echo "ERROR: pid process may not be BE"
        exit 1
    fi

    kill -${SIG} $pid > /dev/null 2>&1
    if [ $? -ne 0 ]; then
        rm $pidfile
        exit 1
    fi

    start_ts=$(date +%s)
    while kill -0 $pid > /dev/null 2>&1; do
        if [ $TIME_OUT -gt 0 ] && [ $(($(date +%s) - $start_ts)) -gt $TIME_OUT ]; then
            kill -9 $pid
            echo "graceful exit timeout, forced termination of the process"
            break
        else
            sleep 1
        fi
    done

    rm $pidfile
fi
