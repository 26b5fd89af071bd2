#@ since 2.3
#!/usr/bin/env bash

BIN_NAME=starrocks_be

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

LONG_OPTS='daemon,cn,be'
#@ since 3.1
LONG_OPTS="$LONG_OPTS,logconsole,numa:"
#@ since 3.3
LONG_OPTS="$LONG_OPTS,meta_tool,check_mem_leak"
#@ since 3.4
LONG_OPTS="$LONG_OPTS,jemalloc_debug"
#@ since 4.1
LONG_OPTS="$LONG_OPTS,enable-profile:"
#@ since 2.3
OPTS=$(getopt -n $0 -o '' -l "$LONG_OPTS" -- "$@")
eval set -- "$OPTS"

RUN_DAEMON=0
RUN_CN=0
RUN_BE=0
RUN_NUMA="-1"
RUN_LOG_CONSOLE=0
RUN_META_TOOL=0
while true; do
    case "$1" in
        --daemon) RUN_DAEMON=1 ; shift ;;
        --cn) RUN_CN=1; RUN_BE=0; shift ;;
        --be) RUN_BE=1; RUN_CN=0; shift ;;
        --logconsole) RUN_LOG_CONSOLE=1 ; shift ;;
        --numa) RUN_NUMA=$2; shift 2 ;;
        --meta_tool) RUN_META_TOOL=1 ; shift ;;
        --check_mem_leak|--jemalloc_debug) shift ;;
        --enable-profile) shift 2 ;;
        --) shift ; break ;;
        *) echo "Internal error" ; exit 1 ;;
    esac
done

export STARROCKS_HOME=`cd "$curdir/.."; pwd`
source $STARROCKS_HOME/bin/common.sh

#@ since 2.3 until 3.1
export DORIS_HOME="$STARROCKS_HOME"
export UDF_RUNTIME_DIR=$STARROCKS_HOME/lib/udf-runtime
export LOG_DIR=$STARROCKS_HOME/log
export PID_DIR=`cd "$curdir"; pwd`
#@ since 3.1
export_shared_envvars
#@ since 3.3
check_and_update_max_processes
#@ since 2.3

if [ ${RUN_BE} -eq 1 ]; then
    conf=be
fi
if [ ${RUN_CN} -eq 1 ]; then
    conf=cn
fi
export_env_from_conf $STARROCKS_HOME/conf/$conf.conf
#@ since 2.3 until 3.3
export_mem_limit_from_conf $STARROCKS_HOME/conf/$conf.conf
#@ since 2.3
if [ $? -ne 0 ]; then
    exit 1
fi

if [ -e $STARROCKS_HOME/conf/hadoop_env.sh ]; then
    source $STARROCKS_HOME/conf/hadoop_env.sh
fi

#@ since 2.3 until 3.3
if [ "$JAVA_HOME" = "" ]; then
    export LD_LIBRARY_PATH=$STARROCKS_HOME/lib/jvm/amd64/server:$STARROCKS_HOME/lib/jvm/amd64:$LD_LIBRARY_PATH
#@ since 3.3
if [ "$JAVA_HOME" = "" ]; then
    echo "[WARNING] JAVA_HOME env not set. Functions or features that requires jni will not work at all."
    export LD_LIBRARY_PATH=$STARROCKS_HOME/lib:$LD_LIBRARY_PATH
#@ since 2.3
else
    export LD_LIBRARY_PATH=$JAVA_HOME/lib/server:$JAVA_HOME/lib:$LD_LIBRARY_PATH
    JAVA_VERSION=$(jdk_version)
#@ since 3.5
    if [[ $JAVA_VERSION -lt 17 ]]; then
        echo "[WARNING] JDK $JAVA_VERSION is not supported, please use JDK version 17 or higher"
    fi
#@ since 2.3
fi

NUMA_CMD=""
if [[ "${RUN_NUMA}" -ne "-1" ]]; then
    set -e
    NUMA_CMD="numactl --cpubind ${RUN_NUMA} --membind ${RUN_NUMA}"
    ${NUMA_CMD} echo "Running on NUMA ${RUN_NUMA}"
    set +e
fi

export LIBHDFS_OPTS="$JAVA_OPTS -Xrs"
export CLASSPATH=$STARROCKS_HOME/conf:$STARROCKS_HOME/lib/jni-packages/*:$HADOOP_CLASSPATH:$CLASSPATH
export LD_LIBRARY_PATH=$STARROCKS_HOME/lib/hadoop/native:$LD_LIBRARY_PATH
#@ since 3.4 until 4.1
export LD_LIBRARY_PATH=$STARROCKS_HOME/lib:$LD_LIBRARY_PATH
#@ since 4.1
export LD_LIBRARY_PATH=$STARROCKS_HOME/lib/jemalloc:$LD_LIBRARY_PATH
#@ since 3.1
export JEMALLOC_CONF=${JEMALLOC_CONF:-"percpu_arena:percpu,oversize_threshold:0,muzzy_decay_ms:5000,dirty_decay_ms:5000,metadata_thp:auto,background_thread:true,prof:true,prof_active:false"}
#@ since 3.3

if [ ${RUN_META_TOOL} -eq 1 ]; then
    $STARROCKS_HOME/lib/$BIN_NAME meta_tool "$@"
    exit $?
fi
#@ since 2.3

if [ ! -d $LOG_DIR ]; then
    mkdir -p $LOG_DIR
fi
if [ ! -d $UDF_RUNTIME_DIR ]; then
    mkdir -p $UDF_RUNTIME_DIR
fi
#@ since 2.3 until 3.3
if [ ! -z $UDF_RUNTIME_DIR ]; then
    rm -f $UDF_RUNTIME_DIR/*
fi
#@ since 2.3

pidfile=$PID_DIR/$conf.pid
#@ since 2.3 until 3.3
if [ -f $pidfile ]; then
    if kill -0 $(cat $pidfile) > /dev/null 2>&1; then
        echo "Backend running as process `cat $pidfile`. Stop it first."
        exit 1
    else
        rm $pidfile
    fi
fi
#@ since 3.3
if [ -f $pidfile ]; then
    oldpid=$(cat $pidfile)
    if ps -q $oldpid -o cmd= | grep -q -w "$BIN_NAME"; then
        echo "Backend running as process $oldpid. Stop it first."
        exit 1
    else
        rm $pidfile
    fi
fi
#@ since 2.3

chmod 755 $STARROCKS_HOME/lib/$BIN_NAME

if [ $(ulimit -n) != "unlimited" ] && [ $(ulimit -n) -lt 60000 ]; then
    ulimit -n 65535
fi

START_BE_CMD="${NUMA_CMD} $STARROCKS_HOME/lib/$BIN_NAME"
LOG_FILE=$LOG_DIR/$conf.out
if [ ${RUN_CN} -eq 1 ]; then
    START_BE_CMD="${START_BE_CMD} --cn"
fi

if [ ${RUN_LOG_CONSOLE} -eq 1 ]; then
    export GLOG_logtostderr=1
else
    exec >> $LOG_FILE 2>&1
fi

#@ since 2.3 until 3.3
echo "start time: "$(date)
#@ since 3.3
echo "start time: $(date), server uptime: $(uptime)"
echo "Run with JEMALLOC_CONF: '$JEMALLOC_CONF'"
#@ since 2.3
if [ ${RUN_DAEMON} -eq 1 ]; then
    nohup ${START_BE_CMD} "$@" </dev/null &
else
    exec ${START_BE_CMD} "$@" </dev/null
fi
