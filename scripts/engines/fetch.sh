#!/usr/bin/env bash
# Sourced by the engine scripts: fetches what they need once, out of package registries, into a cache.
# Versions are pinned here and nowhere else. Each function prints the path of what it provides.
#
#   job_server_jar flink|spark   Beam's job server, all in one jar (Maven Central); `java -jar` opens what Java 17 closes
#   java_opens                   the same for another Java class: one option per line
#   beam_boot                    Beam's own worker boot program (Go module proxy)
#   beam_prism                   Beam's Prism runner (Go module proxy)
#   flink_home | spark_home      an engine's own jars (PyPI)

BEAM_VERSION=2.77.0             # boot program and Prism: the version of apache-beam in constraints.txt
BEAM_RUNNERS_VERSION=2.70.0     # the newest runners of this line on Maven Central
BEAM_JOB_SERVICE_VERSION=2.65.0
FLINK_VERSION=1.19.3
SPARK_VERSION=3.5.3
SLF4J_VERSION=2.0.16
SHADE_VERSION=3.6.0

# What Java 17 must open to Flink and Spark, which are written for older ones.
JAVA_OPENS=(java.base/java.{lang,net,io,nio,lang.reflect,lang.invoke,text,time,util,util.concurrent}
    java.base/java.util.concurrent.{atomic,locks} java.base/sun.nio.{ch,cs} java.base/sun.security.action
    java.base/sun.util.calendar java.security.jgss/sun.security.krb5)

engines_cache() {
    local cache="${XDG_CACHE_HOME:-$HOME/.cache}/fanbeam/engines"
    mkdir -p "$cache"
    echo "$cache"
}

# once NAME FUNCTION [ARGUMENTS…]: the cached thing of that name; FUNCTION makes it in the folder given as its first argument.
# What is there is whole: it is made beside and renamed. A lock lets only one make it.
once() {
    local name=$1 maker=$2 cache
    shift 2
    cache=$(engines_cache)
    if [ ! -e "$cache/$name" ]; then
        (
            flock 9
            [ ! -e "$cache/$name" ] || exit 0
            work=$(mktemp -d "$cache/.making-XXXXXX")
            trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
            echo "fetching $name (once; kept in $cache)" >&2
            mkdir "$work/made"
            "$maker" "$work/made" "$@" > "$work/log" 2>&1 || {
                tail -n 30 "$work/log" >&2
                echo "cannot make $name; the log is above" >&2
                exit 1
            }
            mv "$work/made" "$cache/$name"
        ) 9> "$cache/.$name.lock" || return 1
    fi
    echo "$cache/$name"
}

needs() {
    command -v "$1" > /dev/null || {
        echo "$1 is needed: $2" >&2
        return 1
    }
}

# ---- Beam's job servers, assembled with Maven

job_server_jar() {
    local folder
    needs java "apt-get install openjdk-17-jre-headless" || return 1
    folder=$(once "beam-$1-job-server-$BEAM_RUNNERS_VERSION" make_job_server "$1") || return 1
    echo "$folder/job-server.jar"
}

maven_dependency() {
    echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"
}

make_job_server() {
    local folder=$1 engine=$2 main
    needs mvn "apt-get install maven" || return 1
    case $engine in
        flink)
            main=org.apache.beam.runners.flink.FlinkJobServerDriver
            dependencies=$(maven_dependency org.apache.beam "beam-runners-flink-${FLINK_VERSION%.*}" "$BEAM_RUNNERS_VERSION")
            ;;
        spark)
            main=org.apache.beam.runners.spark.SparkJobServerDriver
            dependencies=$(
                maven_dependency org.apache.beam beam-runners-spark-3 "$BEAM_RUNNERS_VERSION"
                maven_dependency org.apache.spark spark-core_2.12 "$SPARK_VERSION"
                maven_dependency org.apache.spark spark-streaming_2.12 "$SPARK_VERSION"
            )
            ;;
        *)
            echo "no job server for $engine" >&2
            return 1
            ;;
    esac
    mkdir "$folder/project"
    cat > "$folder/project/pom.xml" << POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>fanbeam</groupId><artifactId>job-server</artifactId><version>1</version>
  <dependencies>
    $dependencies
    $(maven_dependency org.apache.beam beam-runners-java-job-service "$BEAM_JOB_SERVICE_VERSION")
    $(maven_dependency org.slf4j slf4j-simple "$SLF4J_VERSION")
  </dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-shade-plugin</artifactId><version>$SHADE_VERSION</version>
    <executions><execution>
      <phase>package</phase><goals><goal>shade</goal></goals>
      <configuration>
        <createDependencyReducedPom>false</createDependencyReducedPom>
        <filters><filter><artifact>*:*</artifact><excludes>
          <exclude>META-INF/*.SF</exclude><exclude>META-INF/*.DSA</exclude><exclude>META-INF/*.RSA</exclude>
        </excludes></filter></filters>
        <transformers>
          <transformer implementation="org.apache.maven.plugins.shade.resource.ServicesResourceTransformer"/>
          <transformer implementation="org.apache.maven.plugins.shade.resource.AppendingTransformer">
            <resource>reference.conf</resource>
          </transformer>
          <transformer implementation="org.apache.maven.plugins.shade.resource.ManifestResourceTransformer">
            <mainClass>$main</mainClass>
            <manifestEntries><Add-Opens>${JAVA_OPENS[*]}</Add-Opens></manifestEntries>
          </transformer>
        </transformers>
      </configuration>
    </execution></executions>
  </plugin></plugins></build>
</project>
POM
    (cd "$folder/project" && mvn -B -q package) || return 1
    mv "$folder/project/target/job-server-1.jar" "$folder/job-server.jar"
    rm -rf "$folder/project"
}

# ---- Beam's own Go programs

beam_boot() {
    local folder
    folder=$(once "beam-boot-$BEAM_VERSION" make_go_program github.com/apache/beam/sdks/v2/python/container) || return 1
    echo "$folder/container"
}

beam_prism() {
    local folder
    folder=$(once "beam-prism-$BEAM_VERSION" make_go_program github.com/apache/beam/sdks/v2/go/cmd/prism) || return 1
    echo "$folder/prism"
}

make_go_program() {
    local folder=$1
    needs go "apt-get install golang" || return 1
    GOBIN=$folder go install "$2@v$BEAM_VERSION"
}

# ---- the engines' own jars, as PyPI has them: source archives, of which nothing is installed

flink_home() {
    local folder
    folder=$(once "flink-$FLINK_VERSION" make_from_pypi "apache-flink-libraries==$FLINK_VERSION") || return 1
    echo "$folder/deps"
}

spark_home() {
    local folder
    folder=$(once "spark-$SPARK_VERSION" make_from_pypi "pyspark==$SPARK_VERSION") || return 1
    echo "$folder/deps"
}

make_from_pypi() {
    local folder=$1 requirement=$2
    "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
        --dest "$folder/archive" "$requirement" || return 1
    tar -xzf "$folder"/archive/*.tar.gz -C "$folder" --strip-components=1
    rm -rf "$folder/archive"
}

java_opens() {
    printf -- '--add-opens=%s=ALL-UNNAMED\n' "${JAVA_OPENS[@]}"
    echo --add-exports=java.base/sun.net.util=ALL-UNNAMED
}
