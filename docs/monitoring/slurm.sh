#!/bin/sh
# A list of targets, examined by an array of 12 jobs: sbatch --array=1-12 slurm.sh targets.txt results
# Each job takes its share of the lines; started again, it leaves out what its results already hold.
#SBATCH --job-name=ssh-doctor
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00
set -eu
targets=$1 results=$2
share=$SLURM_ARRAY_TASK_ID
mkdir -p "$results"
status=0
ssh-doctor check --quiet --targets "$targets" --shard "$share/$SLURM_ARRAY_TASK_COUNT" \
    --resume "$results/$share.jsonl" || status=$?
# 1, 2 and 3 are verdicts on targets; the job itself has done its work.
[ "$status" -le 3 ]
