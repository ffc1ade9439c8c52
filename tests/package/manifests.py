#!/usr/bin/env python3
"""What must hold of the Kubernetes manifests, whoever rendered them: one writer, probes, drain, restricted pods, networks.

Usage: manifests.py check NAME FILE.yaml | json FILE.yaml | same FILE.yaml FILE.yaml
"""

import json
import sys
import tomllib

import yaml


def load(path):
    with open(path, encoding="utf-8") as file:
        return [one for one in yaml.safe_load_all(file) if one]


def named(manifests):
    return {(one["kind"], one["metadata"]["name"]): one for one in manifests}


class Manifests:
    def __init__(self, manifests):
        self.all = named(manifests)
        self.faults = []

    def expect(self, holds, what):
        if not holds:
            self.faults.append(what)

    def of(self, kind):
        return [one for (found, _), one in self.all.items() if found == kind]

    def pods(self):
        for one in self.all.values():
            if one["kind"] == "StatefulSet":
                yield one["metadata"]["name"], one["spec"]["template"]["spec"]
            elif one["kind"] == "CronJob":
                yield one["metadata"]["name"], one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            else:
                self.expect(one["kind"] not in ("Deployment", "DaemonSet", "Job", "Pod"), f"{one['kind']}: not known here")

    def check_server(self):
        sets = self.of("StatefulSet")
        self.expect(len(sets) == 1, "exactly one StatefulSet")
        spec = sets[0]["spec"]
        self.expect(spec["replicas"] == 1, "one writer: replicas is 1")
        for claim in spec["volumeClaimTemplates"]:
            self.expect(claim["spec"]["accessModes"] == ["ReadWriteOncePod"], "a volume that one pod may mount")
        self.expect(not self.of("HorizontalPodAutoscaler"), "nothing that makes more of them")
        self.expect(
            spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}, "data stays"
        )
        pod = spec["template"]["spec"]
        server = pod["containers"][0]
        probes = {kind: server[kind + "Probe"] for kind in ("liveness", "readiness", "startup")}
        paths = {kind: (probe["httpGet"]["path"], probe["httpGet"]["port"]) for kind, probe in probes.items()}
        self.expect(paths["liveness"] == ("/health", "metrics"), "liveness asks /health")
        self.expect(paths["readiness"] == ("/ready", "metrics"), "readiness asks /ready")
        self.expect(paths["startup"] == ("/health", "metrics"), "startup ends when ports are open, not when data is loaded")
        self.expect(
            (probes["liveness"]["initialDelaySeconds"], probes["liveness"]["periodSeconds"]) == (10, 30), "liveness 10/30"
        )
        self.expect(
            (probes["readiness"]["initialDelaySeconds"], probes["readiness"]["periodSeconds"]) == (5, 10), "readiness 5/10"
        )
        settings = tomllib.loads(self.all[("ConfigMap", "akidb")]["data"]["akidb.toml"])
        stop = server["lifecycle"]["preStop"]["sleep"]["seconds"]
        drain_s = settings["drain"]["max_ms"] / 1000
        self.expect(stop >= 5, "preStop gives proxies time")
        self.expect(pod["terminationGracePeriodSeconds"] >= stop + drain_s + 5 + 10, "the grace period covers stop, drain and close")
        self.expect(settings["storage"]["data_dir"] in [mount["mountPath"] for mount in server["volumeMounts"]], "data on the volume")
        resources = server["resources"]
        self.expect(resources["requests"]["memory"] == resources["limits"]["memory"], "memory as requested")
        insecure = settings["server"].get("insecure_i_understand", False)
        self.expect(insecure or settings.get("auth", {}).get("enabled") == "true", "users from the first start on")
        return insecure

    def check_restricted(self):
        """The restricted pod security standard, and a read-only root besides."""
        allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
        for name, pod in self.pods():
            security = pod["securityContext"]
            self.expect(security["runAsNonRoot"] is True and security["runAsUser"] > 0, f"{name}: not root")
            self.expect(security["seccompProfile"]["type"] == "RuntimeDefault", f"{name}: seccomp")
            self.expect(pod["automountServiceAccountToken"] is False, f"{name}: no token of the cluster")
            self.expect(pod["enableServiceLinks"] is False, f"{name}: no variables of other services")
            for host in ("hostNetwork", "hostPID", "hostIPC"):
                self.expect(not pod.get(host), f"{name}: no {host}")
            for volume in pod.get("volumes", []):
                self.expect(set(volume) - {"name"} <= allowed, f"{name}: volume {volume['name']}")
                secret = volume.get("secret")
                self.expect(secret is None or secret["defaultMode"] & 0o007 == 0, f"{name}: secret {volume['name']} is not for all")
            for container in pod.get("initContainers", []) + pod["containers"]:
                own = container["securityContext"]
                where = f"{name}/{container['name']}"
                self.expect(own["allowPrivilegeEscalation"] is False, f"{where}: no escalation")
                self.expect(own["readOnlyRootFilesystem"] is True, f"{where}: read-only root")
                self.expect(own["capabilities"] == {"drop": ["ALL"]}, f"{where}: no capabilities")
                for amount in ("cpu", "memory"):
                    self.expect(amount in container["resources"]["limits"], f"{where}: a limit of {amount}")
                self.expect(not container.get("env"), f"{where}: secrets by file, not by variable")
                self.expect(not container["image"].endswith(":latest"), f"{where}: an image with a version")

    def check_network(self):
        policies = {one["metadata"]["name"]: one["spec"] for one in self.of("NetworkPolicy")}
        labels = self.all[("StatefulSet", "akidb")]["spec"]["template"]["metadata"]["labels"]
        policy = policies["akidb"]
        self.expect(policy["podSelector"]["matchLabels"].items() <= labels.items(), "the policy is about the server")
        self.expect(sorted(policy["policyTypes"]) == ["Egress", "Ingress"], "both ways")
        for name, spec in policies.items():
            out = [(rule["to"], [(port["protocol"], port["port"]) for port in rule["ports"]]) for rule in spec["egress"]]
            self.expect(any(("UDP", 53) in ports and ("TCP", 53) in ports for _, ports in out), f"{name}: names can be asked for")
            s3 = [to for to, ports in out if ("TCP", 443) in ports]
            blocks = [peer["ipBlock"] for to in s3 for peer in to]
            self.expect(any(block["cidr"] == "0.0.0.0/0" for block in blocks), f"{name}: S3 can be reached")
            self.expect(
                all("169.254.0.0/16" in block["except"] for block in blocks if block["cidr"] == "0.0.0.0/0"),
                f"{name}: not the secrets of a cloud's machine",
            )
        ways_in = {port["port"]: rule["from"] for rule in policy["ingress"] for port in rule["ports"]}
        self.expect(set(ways_in) == {"rest", "grpc", "metrics"}, "three ports")
        self.expect(ways_in["metrics"] != ways_in["rest"], "metrics are for others than the API is")
        self.expect(all(peer for peers in ways_in.values() for peer in peers), "nobody is anybody")

    def check_around(self, complete):
        budget = self.of("PodDisruptionBudget")[0]["spec"]
        self.expect(budget["maxUnavailable"] == 1, "a node can be drained")
        services = {one["metadata"]["name"]: one["spec"] for one in self.of("Service")}
        labels = self.all[("StatefulSet", "akidb")]["spec"]["template"]["metadata"]["labels"]
        ports = {port["name"] for port in self.all[("StatefulSet", "akidb")]["spec"]["template"]["spec"]["containers"][0]["ports"]}
        for name, service in services.items():
            self.expect(service["selector"].items() <= labels.items(), f"{name}: selects the server")
            self.expect({port["targetPort"] for port in service["ports"]} <= ports, f"{name}: ports that there are")
        self.expect(self.all[("StatefulSet", "akidb")]["spec"]["serviceName"] in services, "the headless service")
        if not complete:
            return
        quota = self.of("ResourceQuota")[0]["spec"]["hard"]
        self.expect(quota["count/statefulsets.apps"] == "1", "a quota of one writer")
        self.expect({"requests.cpu", "requests.memory", "limits.cpu", "limits.memory"} <= set(quota), "a quota")
        monitor = self.of("ServiceMonitor")[0]["spec"]
        watched = [
            one for one in self.of("Service")
            if monitor["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
        ]
        self.expect(len(watched) == 1, "each pod is scraped once")
        self.expect(
            {one["port"] for one in monitor["endpoints"]} <= {port["name"] for one in watched for port in one["spec"]["ports"]},
            "a port that the service has",
        )
        self.expect(
            monitor["jobLabel"] in watched[0]["metadata"]["labels"] and watched[0]["metadata"]["labels"][monitor["jobLabel"]] == "akidb",
            "the job that alerts ask for",
        )
        with open("deploy/prometheus/rules/akidb.yml", encoding="utf-8") as file:
            self.expect(self.of("PrometheusRule")[0]["spec"] == yaml.safe_load(file), "the alerts are the shipped ones")
        jobs = {one["metadata"]["name"] for one in self.of("CronJob")}
        self.expect(jobs == {"akidb-backup", "akidb-backup-drill"}, "backups, and their drill")
        for job in self.of("CronJob"):
            self.expect(job["spec"]["concurrencyPolicy"] == "Forbid", "one backup at a time")


def check(name, path):
    manifests = Manifests(load(path))
    insecure = manifests.check_server()
    manifests.expect(insecure == (name == "dev"), "without TLS and users in dev alone")
    manifests.check_restricted()
    manifests.check_network()
    manifests.check_around(complete=name not in ("dev", "default"))
    for space in manifests.of("Namespace"):
        manifests.expect(space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted", "restricted pods alone")
    for fault in manifests.faults:
        print(f"{name}: does not hold: {fault}")
    print(f"{name}: {len(manifests.all)} manifests, {len(manifests.faults)} invariants broken")
    return 1 if manifests.faults else 0


def same(one, other):
    """But for the namespace, which Helm is told when it installs."""
    def plain(manifests):
        for manifest in manifests:
            manifest["metadata"].pop("namespace", None)
        return {key: value for key, value in named(manifests).items() if key[0] != "Namespace"}

    first, second = plain(load(one)), plain(load(other))
    differ = [key for key in set(first) | set(second) if first.get(key) != second.get(key)]
    for key in differ:
        print(f"{one} and {other} differ in {key}")
    print(f"{len(first)} manifests the same by Helm and by Kustomize" if not differ else f"{len(differ)} differ")
    return 1 if differ else 0


def main(words):
    if words[0] == "check":
        return check(words[1], words[2])
    if words[0] == "same":
        return same(words[1], words[2])
    print(json.dumps(load(words[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
