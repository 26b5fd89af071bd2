#!/usr/bin/env bash

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

LONG_OPTS='daemon,helper:'
#@ since 3.1
LONG_OPTS="$LONG_OPTS,host_type:,debug,logconsole"
#@ since 3.4
LONG_OPTS="$LONG_OPTS,cluster_snapshot"
#@ since 4.0
LONG_OPTS="$LONG_OPTS,failpoint"
#@ always
OPTS=$(getopt -n $0 -o '' -l "$LONG_OPTS" -- "$@")
eval set -- "$OPTS"

RUN_DAEMON=0
HELPER=
HOST_TYPE=
CLUSTER_SNAPSHOT=
FAILPOINT=
ENABLE_DEBUGGER=0
#@ since 3.3
RUN_LOG_CONSOLE=${SYS_LOG_TO_CONSOLE:-0}
#@ until 3.3
RUN_LOG_CONSOLE=0
#@ always
while true; do
    case "$1" in
        --daemon) RUN_DAEMON=1 ; shift ;;
        --helper) HELPER=$2 ; shift 2 ;;
        --host_type) HOST_TYPE=$2 ; shift 2 ;;
        --cluster_snapshot) CLUSTER_SNAPSHOT="-cluster_snapshot" ; shift ;;
        --failpoint) FAILPOINT="-failpoint" ; shift ;;
        --debug) ENABLE_DEBUGGER=1 ; shift ;;
        --logconsole) RUN_LOG_CONSOLE=1 ; shift ;;
        --) shift ; break ;;
        *) echo "Internal error" ; exit 1 ;;
    esac
done

export STARROCKS_HOME=`cd "$curdir/.."; pwd`
export DORIS_HOME="$STARROCKS_HOME"

source $STARROCKS_HOME/bin/common.sh

#@ since 3.3
check_and_update_max_processes

#@ until 3.1
export JAVA_OPTS="-Xmx1024m"
#@ since 3.1 until 3.5
export JAVA_OPTS="-Xmx8g"
#@ always
export LOG_DIR="$STARROCKS_HOME/log"
export PID_DIR=`cd "$curdir"; pwd`

export_env_from_conf $STARROCKS_HOME/conf/fe.conf

if [ -e $STARROCKS_HOME/conf/hadoop_env.sh ]; then
    source $STARROCKS_HOME/conf/hadoop_env.sh
fi

#@ until 3.1
if [ "$JAVA_HOME" = "" ]; then
    echo "Error: JAVA_HOME is not set."
    exit 1
fi
#@ since 2.3 until 3.1
if [ ! -f "$JAVA_HOME/bin/javac" ]; then
    echo "Error: JAVA_HOME can not be jre"
    exit 1
fi
#@ since 3.1 until 3.3
MIN_JDK_VERSION=8
#@ since 3.3 until 3.5
MIN_JDK_VERSION=11
#@ since 3.5
MIN_JDK_VERSION=17
#@ since 3.1 until 3.4
if [[ -z ${JAVA_HOME} ]]; then
    if command -v javac > /dev/null 2>&1; then
        export JAVA_HOME="$(dirname $(dirname $(readlink -f $(command -v javac))))"
        echo "Infered JAVA_HOME=$JAVA_HOME"
    else
        echo "Error: The environment variable JAVA_HOME is not set. The FE program requires JDK version $MIN_JDK_VERSION or higher in order to run."
        echo "Please take the following steps to resolve this issue:"
        echo "1. Install OpenJDK $MIN_JDK_VERSION or higher using your Linux distribution's package manager."
        echo "2. Set the JAVA_HOME environment variable to point to your installed OpenJDK directory."
        echo "3. Try running this script again."
        exit 1
    fi
fi
if [ ! -f "$JAVA_HOME/bin/javac" ]; then
    echo "Error: It appears that your JAVA_HOME environment variable is pointing to a non-JDK path: $JAVA_HOME"
    echo "The FE program requires the full JDK to be installed and configured properly. Please check that JAVA_HOME"
    echo "is set to the installation directory of JDK $MIN_JDK_VERSION or higher, rather than the JRE installation directory."
    exit 1
fi
#@ since 3.4
if [[ -z ${JAVA_HOME} ]]; then
    if command -v javac > /dev/null 2>&1; then
        export JAVA_HOME="$(dirname $(dirname $(readlink -f $(command -v javac))))"
        echo "Infered JAVA_HOME=$JAVA_HOME"
    elif command -v java > /dev/null 2>&1; then
        export JAVA_HOME="$(dirname $(dirname $(readlink -f $(command -v java))))"
    else
        echo "Error: The environment variable JAVA_HOME is not set, and neither JDK or JRE is found."
        echo "The FE program requires JDK/JRE version $MIN_JDK_VERSION  or higher in order to run."
        echo "Please take the following steps to resolve this issue:"
        echo "1. Install OpenJDK $MIN_JDK_VERSION or higher using your Linux distribution's package manager."
        echo "2. Set the JAVA_HOME environment variable to point to your installed OpenJDK directory."
        echo "3. Try running this script again."
        exit 1
    fi
fi
#@ always
JAVA=$JAVA_HOME/bin/java

JAVA_VERSION=$(jdk_version)
final_java_opt=$JAVA_OPTS
#@ until 3.1
if [[ "$JAVA_VERSION" -gt 8 ]]; then
    if [ -z "$JAVA_OPTS_FOR_JDK_9" ]; then
        echo "JAVA_OPTS_FOR_JDK_9 is not set in fe.conf" >> $LOG_DIR/fe.out
        exit -1
    fi
    final_java_opt=$JAVA_OPTS_FOR_JDK_9
fi
#@ since 3.1 until 3.3
if [[ "$JAVA_VERSION" -gt 8 ]]; then
    if [[ "$JAVA_VERSION" -lt 11 ]]; then
        echo "JDK $JAVA_VERSION is not supported, please use JDK 11 or 17"
        exit -1
    fi
    if [ -n "$JAVA_OPTS_FOR_JDK_11" ]; then
        final_java_opt=$JAVA_OPTS_FOR_JDK_11
    elif [ -n "$JAVA_OPTS_FOR_JDK_9" ]; then
        final_java_opt=$JAVA_OPTS_FOR_JDK_9
    else
        final_java_opt="-Dlog4j2.formatMsgNoLookups=true -Xmx8192m -XX:+UseG1GC -Xlog:gc*:${LOG_DIR}/fe.gc.log.${DATE:-$(date +%Y%m%d-%H%M%S)}:time"
        echo "JAVA_OPTS_FOR_JDK_11 is not set in fe.conf, use default java options for jdk11 to start fe process: $final_java_opt"
    fi
fi
if [[ "$JAVA_VERSION" -lt 11 ]]; then
    echo "Tips: current JDK version is $JAVA_VERSION, JDK 11 or 17 is highly recommended for better GC performance(lower version JDK may not be supported in the future)"
fi
#@ since 3.3
if [[ "$JAVA_VERSION" -lt $MIN_JDK_VERSION ]]; then
    echo "Error: JDK $JAVA_VERSION is not supported, please use JDK version $MIN_JDK_VERSION or higher"
    exit -1
fi
#@ since 3.3 until 3.5
if [[ "$JAVA_VERSION" -eq 11 ]]; then
    final_java_opt=${JAVA_OPTS_FOR_JDK_11:-${JAVA_OPTS_FOR_JDK_9:-$JAVA_OPTS}}
fi
#@ since 3.5
if [ ! -z "${JAVA_OPTS_FOR_JDK_11}" ]; then
    echo "Warning: Configuration parameter JAVA_OPTS_FOR_JDK_11 is not supported, JAVA_OPTS is the only place to set jvm parameters"
    final_java_opt=${JAVA_OPTS_FOR_JDK_11}
fi
if [ -z "$final_java_opt" ]; then
    final_java_opt="-Dlog4j2.formatMsgNoLookups=true -Xmx8192m -XX:+UseG1GC -Xlog:gc*:${LOG_DIR}/fe.gc.log.${DATE:-$(date +%Y%m%d-%H%M%S)}:time -Djava.security.policy=${STARROCKS_HOME}/conf/udf_security.policy"
    echo "JAVA_OPTS is not set in fe.conf, use default java options to start fe process: $final_java_opt"
fi
#@ since 3.1

if [ ${ENABLE_DEBUGGER} -eq 1 ]; then
    final_java_opt="${final_java_opt} -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=*:5005"
    echo "Start debugger with: $final_java_opt"
fi
#@ always

if [ ! -d $LOG_DIR ]; then
    mkdir -p $LOG_DIR
fi

#@ until 3.1
echo "using java version $JAVA_VERSION" >> $LOG_DIR/fe.out
echo $final_java_opt >> $LOG_DIR/fe.out
#@ since 3.3
read_var_from_conf meta_dir $STARROCKS_HOME/conf/fe.conf
mkdir -p ${meta_dir:-"$STARROCKS_HOME/meta"}
#@ always

for f in $STARROCKS_HOME/lib/*.jar; do
    CLASSPATH=$f:${CLASSPATH}
done
#@ until 3.1
export CLASSPATH=${CLASSPATH}:${STARROCKS_HOME}/lib:${STARROCKS_HOME}/conf
#@ since 3.1 until 4.1
export CLASSPATH=${STARROCKS_HOME}/lib/starrocks-hadoop-ext.jar:${CLASSPATH}:${STARROCKS_HOME}/lib:${STARROCKS_HOME}/conf
#@ since 4.1
export CLASSPATH=${STARROCKS_HOME}/lib/fe-core-main.jar:${STARROCKS_HOME}/lib/starrocks-hadoop-ext.jar:${CLASSPATH}:${STARROCKS_HOME}/lib:${STARROCKS_HOME}/conf
#@ always

pidfile=$PID_DIR/fe.pid

#@ until 3.3
if [ -f $pidfile ]; then
    if kill -0 `cat $pidfile` > /dev/null 2>&1; then
        echo Frontend running as process `cat $pidfile`.  Stop it first.
        exit 1
    fi
fi
#@ since 3.3
if [ -f $pidfile ]; then
    oldpid=$(cat $pidfile)
    if ps -q $oldpid -o cmd= | grep -q -w StarRocksFE; then
        echo Frontend running as process $oldpid. Stop it first.
        exit 1
    fi
fi
#@ until 3.1

echo `date` >> $LOG_DIR/fe.out
#@ until 4.1

if [ x"$HELPER" != x"" ]; then
    HELPER="-helper $HELPER"
fi
if [ x"$HOST_TYPE" != x"" ]; then
    HOST_TYPE="-host_type $HOST_TYPE"
fi
#@ since 4.1

if [ x"$HELPER" != x"" ]; then
    HELPER="--helper $HELPER"
fi
if [ x"$HOST_TYPE" != x"" ]; then
    HOST_TYPE="--host_type $HOST_TYPE"
fi
CLUSTER_SNAPSHOT=${CLUSTER_SNAPSHOT:+-$CLUSTER_SNAPSHOT}
FAILPOINT=${FAILPOINT:+-$FAILPOINT}
#@ until 3.1

if [ ${RUN_DAEMON} -eq 1 ]; then
    nohup $JAVA $final_java_opt com.starrocks.StarRocksFE ${HELPER} ${HOST_TYPE} "$@" >> $LOG_DIR/fe.out 2>&1 </dev/null &
else
    $JAVA $final_java_opt com.starrocks.StarRocksFE ${HELPER} ${HOST_TYPE} "$@" >> $LOG_DIR/fe.out 2>&1 </dev/null
fi

echo $! > $pidfile
#@ since 3.1 until 3.3

LOG_FILE=$LOG_DIR/fe.out
if [ ${RUN_LOG_CONSOLE} -eq 1 ]; then
    echo -e "\nsys_log_to_console = true" >> $STARROCKS_HOME/conf/fe.conf
else
    exec &>> $LOG_FILE
fi

echo "using java version $JAVA_VERSION"
echo $final_java_opt
echo `date`
#@ since 3.3

LOG_FILE=$LOG_DIR/fe.out
if [ ${RUN_LOG_CONSOLE} -ne 1 ]; then
    exec >> $LOG_FILE 2>&1
fi
export SYS_LOG_TO_CONSOLE=${RUN_LOG_CONSOLE}

echo "using java version $JAVA_VERSION"
echo $final_java_opt
echo "start time: $(date), server uptime: $(uptime)"
#@ since 3.1

# The Java process writes its own pid into $pidfile.
if [ ${RUN_DAEMON} -eq 1 ]; then
    nohup $JAVA $final_java_opt com.starrocks.StarRocksFE ${HELPER} ${HOST_TYPE} ${CLUSTER_SNAPSHOT} ${FAILPOINT} "$@" </dev/null &
else
    exec $JAVA $final_java_opt com.starrocks.StarRocksFE ${HELPER} ${HOST_TYPE} ${CLUSTER_SNAPSHOT} ${FAILPOINT} "$@" </dev/null
fi
