# A Slurm cluster of nodes n1 … nN on this host alone, for tests; to be sourced. `cluster_start FOLDER N CPUS` starts
# slurmctld, N slurmd and a munged of its own in FOLDER, `cluster_stop` ends what was started, and nothing else.

cluster_start() {
  cluster=$1 cluster_nodes=$2
  local cpus=$3 host names ports port n
  mkdir -p "$cluster"/state "$cluster"/munge
  for n in $(seq "$cluster_nodes"); do mkdir -p "$cluster/spool-n$n"; done
  chmod 755 "$cluster"
  host=$(hostname -s)
  names="n[1-$cluster_nodes]" port=$((20000 + RANDOM % 10000)) ports="[$((port + 1))-$((port + cluster_nodes))]"
  dd if=/dev/urandom of="$cluster/munge/key" bs=128 count=1 status=none
  chmod 400 "$cluster/munge/key"
  cat >"$cluster/slurm.conf" <<EOF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$cluster/munge/socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,requeue_setup_env_fail
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool-%n
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd-%n.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd-%n.log
ReturnToService=2
KillWait=3
MinJobAge=300
SlurmdTimeout=10
InactiveLimit=0
UnkillableStepTimeout=10
JobRequeue=1
NodeName=$names NodeHostname=$host NodeAddr=127.0.0.1 Port=$ports CPUs=$cpus RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=$names Default=YES MaxTime=INFINITE OverTimeLimit=0 OverSubscribe=NO State=UP
EOF
  export SLURM_CONF=$cluster/slurm.conf
  munged --foreground --force --num-threads=2 --key-file="$cluster/munge/key" --socket="$cluster/munge/socket" \
    --pid-file="$cluster/munge/pid" --log-file="$cluster/munge/log" --seed-file="$cluster/munge/seed" \
    >"$cluster/munge/output" 2>&1 &
  cluster_pids=$!
  for _ in $(seq 50); do [ -S "$cluster/munge/socket" ] && break; sleep 0.1; done
  slurmctld -D -i >"$cluster/slurmctld.output" 2>&1 &
  cluster_pids="$cluster_pids $!"
  for n in $(seq "$cluster_nodes"); do cluster_node "$n"; done
  for _ in $(seq 300); do
    [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" -eq "$cluster_nodes" ] && return 0
    sleep 0.1
  done
  echo "the cluster did not start:" >&2
  tail -n 20 "$cluster"/*.log "$cluster"/*.output "$cluster"/munge/log >&2
  return 1
}

# Starts the daemon of a node by its number.
cluster_node() {
  slurmd -D -N "n$1" >>"$cluster/slurmd-n$1.output" 2>&1 &
  eval "cluster_node_$1=$!"
  cluster_pids="$cluster_pids $!"
}

# Ends the daemon of a node by its number and leaves its jobs running: the controller believes that the node failed.
cluster_fail_daemon() {
  local pid
  eval "pid=\$cluster_node_$1"
  kill -KILL "$pid" 2>/dev/null || true
}

# Ends the daemon of a node by its number, and its jobs' processes with it: a machine that fails.
cluster_fail_node() {
  cluster_fail_daemon "$1"
  # What watches a job is a daemon of its own: it must not live to report its end.
  local processes parent pid
  processes=$(cluster_processes "n$1")
  for pid in $processes; do
    parent=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) || continue
    if [ "$(cat "/proc/$parent/comm" 2>/dev/null)" = slurmstepd ]; then
      kill -KILL "$parent" 2>/dev/null || true
    fi
  done
  # Some have ended meanwhile.
  for pid in $processes; do kill -KILL "$pid" 2>/dev/null || true; done
}

# The processes of the jobs on this cluster's nodes, or on one of them, known by their environment.
cluster_processes() {
  local process
  for process in /proc/[0-9]*; do
    local variables
    variables=$( (tr '\0' '\n' <"$process/environ") 2>/dev/null) || continue
    grep -qx "SLURM_CONF=$SLURM_CONF" <<<"$variables" || continue
    grep -qx "SLURMD_NODENAME=${1:-.*}" <<<"$variables" || continue
    echo "${process#/proc/}"
  done
}

cluster_stop() {
  scancel -u root 2>/dev/null || true
  sleep 1
  local process
  for process in $(cluster_processes); do kill -KILL "$process" 2>/dev/null; done
  for process in $cluster_pids; do kill -TERM "$process" 2>/dev/null; done
  sleep 1
  for process in $cluster_pids; do kill -KILL "$process" 2>/dev/null; done
  wait 2>/dev/null || true
}
