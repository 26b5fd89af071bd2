#!/usr/bin/env bash

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

#@ since 3.4
SIG=15
TIME_OUT=-1

OPTS=$(getopt -n $0 -o gh -l 'graceful' -l 'timeout:' -l 'help' -- "$@")
eval set -- "$OPTS"

usage() {
    echo "
This script is used to stop FE process
Usage:
    ./stop_fe.sh [option]

Options:
    -h, --help              display this usage only
    -g, --graceful          send USER1 to FE process instead of SIGTERM
    --timeout               specify the timeout for graceful exit
"
    exit 0
}

while true; do
    case "$1" in
        --timeout) TIME_OUT=$2 ; shift 2 ;;
        --help|-h) usage ; shift ;;
        --graceful|-g) SIG=10 ; shift ;;
        --) shift ; break ;;
    esac
done

#@ always
export STARROCKS_HOME=`cd "$curdir/.."; pwd`
export DORIS_HOME="$STARROCKS_HOME"
export PID_DIR=`cd "$curdir"; pwd`

source $STARROCKS_HOME/bin/common.sh

export_env_from_conf $STARROCKS_HOME/conf/fe.conf

pidfile=$PID_DIR/fe.pid

#@ until 3.4
if [ -f $pidfile ]; then
    pid=`cat $pidfile`
    pidcomm=`ps -p $pid -o comm=`

    if [ "java" != "$pidcomm" ]; then
        echo "ERROR: pid process may not be fe. "
    fi

    if kill $pid > /dev/null 2>&1; then
        while true; do
            if ps -p $pid > /dev/null; then
                echo "waiting fe to stop, pid: $pid"
                sleep 2
            else
                echo "stop $pidcomm, and remove pid file. "
                if [ -f $pidfile ]; then
                    rm $pidfile
                fi
                break
            fi
        done
    fi
fi
#@ since 3.4 until 4.1
if [ -f $pidfile ]; then
    pid=`cat $pidfile`
    pidcomm=`ps -p $pid -o comm=`
    if [ "java"x != "$pidcomm"x ]; then
        echo "ERROR: pid process may not be FE. "
        exit 1
    fi
#@ since 4.1
if [ -f $pidfile ]; then
    pid=`cat $pidfile`
    if ! kill -0 $pid > /dev/null 2>&1; then
        echo "Process $pid does not exist, removing stale pid file"
        rm $pidfile
        exit 0
    fi
    pidcomm=`ps -p $pid -o comm= 2>/dev/null`
    if [ "$(basename "$pidcomm")" != "java" ]; then
        echo "ERROR: Process $pid is not a Java process (comm: $pidcomm)"
        exit 1
    fi
    if ! ps -p $pid -o command= | head -n 1 | grep -q "StarRocksFE"; then
        echo "ERROR: Process $pid may not be FE (command does not contain StarRocksFE)"
        exit 1
    fi
#@ since 3.4

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

    if [ -f $pidfile ]; then
        rm $pidfile
    fi
fi
