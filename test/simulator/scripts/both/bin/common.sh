#!/usr/bin/env bash
# Shared by the scripts beside it.

# Major version of $JAVA_HOME/bin/java: 1.8 gives 8, 17.0.12 gives 17.
jdk_version() {
    local ver
    ver=$("$JAVA_HOME/bin/java" -Xms32M -Xmx32M -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -n 1)
    ver=${ver#1.}
    echo "${ver%%[!0-9]*}"
}

# Exports each UPPERCASE key of a conf file. The value goes through eval: $(…) and ${…} are expanded.
# `while read` drops a last line without newline.
export_env_from_conf() {
    while read line; do
        [[ $line =~ ^[[:upper:]] ]] || continue
        envline=$(echo $line | sed 's/[[:blank:]]*=[[:blank:]]*/=/g; s/^[[:blank:]]*//' | grep -E '^[[:upper:]][[:upper:][:digit:]_]*=')
        envline=$(eval "echo $envline")
        if [[ $envline == *"="* ]]; then
            export "$envline"
        fi
    done < "$1"
}
#@ since 2.3 until 3.3

# The process refuses to start without this: it finds out that bin/ was not replaced along with lib/.
export_mem_limit_from_conf() {
    export TCMALLOC_HEAP_LIMIT_MB=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) * 9 / 10 / 1024))
}
#@ since 3.1

export_shared_envvars() {
    export DORIS_HOME="$STARROCKS_HOME"
    export UDF_RUNTIME_DIR=$STARROCKS_HOME/lib/udf-runtime
    export LOG_DIR=$STARROCKS_HOME/log
    export PID_DIR=$(cd "$curdir"; pwd)
    export AWS_EC2_METADATA_DISABLED=${AWS_EC2_METADATA_DISABLED:-false}
}
#@ since 3.3

read_var_from_conf() {
    local var_line
    var_line=$(sed 's/[[:blank:]]*=[[:blank:]]*/=/; s/^[[:blank:]]*//' "$2" | grep "^$1=" | tail -n 1)
    if [[ $var_line == *"="* ]]; then
        eval "$var_line"
    fi
}

check_and_update_max_processes() {
    local max_processes
    max_processes=$(ulimit -u)
    if [[ $max_processes != unlimited && $max_processes -lt 65535 ]]; then
        ulimit -u 65535
        if [ $? -ne 0 ]; then
            echo "Warn: update max user processes failed, please refer to https://docs.starrocks.io/docs/deployment/environment_configurations/#max-user-processes"
        fi
    fi
}
