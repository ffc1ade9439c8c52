#!/usr/bin/env python3
"""A pod's life without a cluster: what a kubelet would do with the StatefulSet of a manifest and the container's root file system.

The root is read-only, the user and the files are the manifest's, probes are asked at its periods and thresholds, the end is its
preStop, SIGTERM and grace period. Clients search and write through all of it, over TLS, as a Service would let them: until the pod
is taken out of the endpoints, which is as late as a large cluster is slow. Run in mount, network and process namespaces of its own.

Usage: kubelet.py MANIFESTS.json ROOT_FOLDER WORK_FOLDER
"""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time

ENDPOINTS_LATE_S = 9.0  # after the deletion; the pod's ports are to be open for preStop and drain.min_ms, 10 s
CLIENTS = 4
EPOCH = time.monotonic()


def say(text):
    print(f"pod: {time.monotonic() - EPOCH:5.1f} s  {text}", flush=True)


def fail(text):
    say(f"FAILED: {text}")
    sys.exit(1)


def run(*words, quiet=False):
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL if quiet else None)


class Pod:
    """The container's process and what is mounted for it."""

    def __init__(self, manifests, root, work):
        sets = [one for one in manifests if one["kind"] == "StatefulSet"]
        self.spec = sets[0]["spec"]["template"]["spec"]
        self.container = self.spec["containers"][0]
        self.config = next(one for one in manifests if one["kind"] == "ConfigMap")["data"]
        self.root, self.work = root, work
        self.user = self.spec["securityContext"]["runAsUser"]
        self.group = self.spec["securityContext"]["fsGroup"]

    def mount(self, secrets):
        root = self.root
        run("mount", "--bind", root, root)
        run("mount", "-t", "proc", "proc", f"{root}/proc")
        run("mount", "-t", "tmpfs", "tmpfs", f"{root}/dev")
        for device in ("null", "urandom"):
            open(f"{root}/dev/{device}", "wb").close()
            run("mount", "--bind", f"/dev/{device}", f"{root}/dev/{device}")
        volumes = {one["name"]: one for one in self.spec.get("volumes", [])}
        for mount in self.container["volumeMounts"]:
            volume = volumes.get(mount["name"], {})
            source = f"{self.work}/volumes/{mount['name']}"
            os.makedirs(source, exist_ok=True)
            files = self.config if "configMap" in volume else {}
            mode = 0o644
            if "secret" in volume:
                files, mode = secrets[mount["name"]], volume["secret"]["defaultMode"]
            for name, text in files.items():
                with open(f"{source}/{name}", "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(f"{source}/{name}", mode)
            # As a kubelet does by fsGroup: the files are root's and the group's.
            for path in [source] + [f"{source}/{name}" for name in files]:
                os.chown(path, 0, self.group)
            if not files:
                os.chmod(source, 0o2770)
            os.makedirs(root + mount["mountPath"], exist_ok=True)
            run("mount", "--bind", source, root + mount["mountPath"])
            if mount.get("readOnly"):
                run("mount", "-o", "remount,ro,bind", root + mount["mountPath"])
        run("mount", "-o", "remount,ro,bind", root)

    def start(self, entrypoint):
        words = [entrypoint] + self.container["args"]
        environment = {one["name"]: one["value"] for one in self.container.get("env", [])}
        out = open(f"{self.work}/log", "wb")
        # No new privileges, an ordinary user, no group but the pod's; becoming one drops all capabilities.
        words = ["setpriv", "--no-new-privs", "chroot", f"--userspec={self.user}:{self.group}", "--groups=", self.root] + words
        self.process = subprocess.Popen(words, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment}, stdout=out, stderr=out)

    def log(self):
        with open(f"{self.work}/log", encoding="utf-8", errors="replace") as file:
            return file.read()


class Probe:
    """One probe, asked in a thread of its own at its period, until it is stopped."""

    def __init__(self, name, spec, pod, port):
        self.name, self.path, self.port = name, spec["httpGet"]["path"], port
        self.delay, self.period = spec.get("initialDelaySeconds", 0), spec["periodSeconds"]
        self.timeout, self.failures_allowed = spec["timeoutSeconds"], spec["failureThreshold"]
        self.pod, self.asked, self.failures, self.answers = pod, 0, 0, []
        self.ok = threading.Event()
        self.ended = threading.Event()

    def ask(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            connection.request("GET", self.path)
            return connection.getresponse().status
        except OSError:
            return 0

    def poll(self):
        self.ended.wait(self.delay)
        while not self.ended.is_set():
            status = self.ask()
            self.asked += 1
            if not self.answers or self.answers[-1] != status:
                say(f"{self.name} {self.path}: {status or 'no answer'}")
                self.answers.append(status)
            self.failures = 0 if status == 200 else self.failures + 1
            if status == 200:
                self.ok.set()
            elif self.failures >= self.failures_allowed:
                self.ok.clear()
                if self.name in ("startup", "liveness"):
                    say(f"{self.name} failed {self.failures} times: a kubelet would kill the pod")
            self.ended.wait(self.period)

    def start(self):
        threading.Thread(target=self.poll, daemon=True).start()
        return self


class Load:
    """Clients of the Service: they keep connections, and open others when asked to."""

    def __init__(self, token, authority):
        self.token, self.context = token, ssl.create_default_context(cafile=authority)
        self.routed = threading.Event()
        self.lock = threading.Lock()
        self.sent, self.failed, self.faults, self.closed, self.since = 0, 0, [], 0, None
        self.after, self.written = 0, 0

    def call(self, connection, method, path, body):
        connection.request(
            method, path, json.dumps(body), {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        text = answer.read()
        return answer, text

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", 8080, timeout=20, context=self.context)

    def client(self, number):
        connection, vector, round_ = self.connect(), [float(1 + (number + i) % 7) for i in range(16)], 0
        while self.routed.is_set():
            round_ += 1
            is_write = round_ % 5 == 0
            begun = time.monotonic()
            try:
                if is_write:
                    body = {"documents": [{"id": number * 1_000_000 + round_, "vector": vector}]}
                    answer, text = self.call(connection, "PUT", "/api/v1/collections/pods/documents", body)
                else:
                    answer, text = self.call(connection, "POST", "/api/v1/collections/pods/search", {"vector": vector, "top_k": 3})
                fault = None if answer.status == 200 else f"{answer.status} {text[:120]!r}"
                must_close = answer.getheader("Connection", "").lower() == "close"
            except (OSError, http.client.HTTPException) as problem:
                fault, must_close = repr(problem), True
            with self.lock:
                self.sent += 1
                self.closed += must_close
                self.after += self.since is not None and begun >= self.since
                if fault:
                    self.failed += 1
                    self.faults.append(f"{begun - EPOCH:.2f} s: {fault}")
                else:
                    self.written += is_write
            if must_close:
                connection.close()
                connection = self.connect()

    def start(self):
        self.routed.set()
        self.threads = [threading.Thread(target=self.client, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.routed.clear()
        for thread in self.threads:
            thread.join()


def make_certificate(work):
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=akidb", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{work}/tls.key", "-out", f"{work}/tls.crt",
        quiet=True,
    )
    with open(f"{work}/tls.key", encoding="utf-8") as key, open(f"{work}/tls.crt", encoding="utf-8") as certificate:
        text = certificate.read()
        return {"tls.crt": text, "tls.key": key.read(), "ca.crt": text}


def first_user(pod, load):
    """As the chart's notes say: by the token in the log."""
    token = pod.log().split("set-up token, for POST /api/v1/auth/setup: ")[1].split("\n")[0]
    connection = load.connect()
    load.token = token
    body = {"token": token, "email": "ann@example.com", "password": "a long and quite unlikely password"}
    answer, text = load.call(connection, "POST", "/api/v1/auth/setup", body)
    if answer.status not in (200, 201):
        fail(f"no first user: {answer.status} {text!r}")
    load.token = json.loads(text)["token"]
    answer, text = load.call(connection, "POST", "/api/v1/collections", {"name": "pods", "dimension": 16, "metric": "l2"})
    if answer.status not in (200, 201):
        fail(f"no collection: {answer.status} {text!r}")


def main(words):
    with open(words[0], encoding="utf-8") as file:
        manifests = json.load(file)
    root, work = words[1], words[2]
    run("ip", "link", "set", "lo", "up")
    pod = Pod(manifests, root, work)
    pod.mount({"tls": make_certificate(work), "s3": {"credentials": "[default]\naws_access_key_id = a\naws_secret_access_key = b\n"}})
    pod.start("/usr/bin/akidb")
    ports = {port["name"]: port["containerPort"] for port in pod.container["ports"]}
    spec = pod.container
    probes = {
        name: Probe(name, spec[f"{name}Probe"], pod, ports[spec[f"{name}Probe"]["httpGet"]["port"]])
        for name in ("startup", "liveness", "readiness")
    }
    say(f"started as uid {pod.user} on a read-only root, args {' '.join(spec['args'])}")
    if not probes["startup"].start().ok.wait(60):
        print(pod.log())
        fail("the startup probe was never answered")
    probes["startup"].ended.set()
    probes["liveness"].start()
    if not probes["readiness"].start().ok.wait(60):
        print(pod.log())
        fail("never ready")

    load = Load("", f"{work}/tls.crt")
    first_user(pod, load)
    load.start()
    probes["liveness"].ok.wait(30)
    say("deleted: preStop begins, the endpoints learn of it")
    deleted = time.monotonic()
    time.sleep(spec["lifecycle"]["preStop"]["sleep"]["seconds"])
    load.since = time.monotonic()
    before = load.sent
    pod.process.send_signal(signal.SIGTERM)
    say(f"SIGTERM after {before} requests, {load.failed} of them failed")
    observer = Probe("an observer asks", {**spec["readinessProbe"], "initialDelaySeconds": 0, "periodSeconds": 0.1}, pod, 9091).start()
    probes["liveness"].ended.set()
    probes["readiness"].ended.set()
    time.sleep(max(0.0, deleted + ENDPOINTS_LATE_S - time.monotonic()))
    load.stop()
    say(f"out of the endpoints: {load.after} requests were sent after SIGTERM, {load.failed} failed in all")
    grace = deleted + pod.spec["terminationGracePeriodSeconds"] - time.monotonic()
    try:
        status = pod.process.wait(timeout=grace)
    except subprocess.TimeoutExpired:
        fail("the grace period is over: a kubelet would send SIGKILL")
    observer.ended.set()
    say(f"ended with {status}, {time.monotonic() - deleted:.1f} s of {pod.spec['terminationGracePeriodSeconds']} s after its deletion")
    for fault in load.faults[:10]:
        print("   ", fault)
    turned = 503 in observer.answers
    say(f"{load.sent} requests, {load.failed} failed; readiness turned to 503: {turned}; {load.closed} answers said Connection: close")
    if load.failed or status != 0 or not turned or load.after == 0 or load.written == 0:
        print(pod.log()[-3000:])
        fail("not as it should be")

    # The next pod on the same volume has what was acknowledged.
    pod.start("/usr/bin/akidb")
    again = Probe("readiness of the next pod", {**spec["readinessProbe"], "initialDelaySeconds": 0, "periodSeconds": 0.1}, pod, 9091)
    if not again.start().ok.wait(60):
        fail("the next pod is not ready")
    again.ended.set()
    answer, text = load.call(load.connect(), "POST", "/api/v1/collections/pods/count", {})
    say(f"the next pod has {json.loads(text)['count']} documents of {load.written} acknowledged")
    pod.process.kill()
    if json.loads(text)["count"] != load.written:
        fail("documents are missing")


if __name__ == "__main__":
    main(sys.argv[1:])
