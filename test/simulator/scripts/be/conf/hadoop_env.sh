# Environment of the hadoop client.
export HADOOP_CLASSPATH=${STARROCKS_HOME}/lib/hadoop/common/*:${STARROCKS_HOME}/lib/hadoop/common/lib/*:${STARROCKS_HOME}/lib/hadoop/hdfs/*
if [ -z "${HADOOP_USER_NAME}" ]; then
    if [ -z "${USER}" ]; then
        export HADOOP_USER_NAME=$(id -u -n)
    else
        export HADOOP_USER_NAME=${USER}
    fi
fi
