// Checks Kubernetes manifests against the schemas that Kubernetes and the Prometheus operator publish, as the packages
// kubernetes-models have them: values by their validators (types, enumerations, formats, what is required), fields by
// TypeScript, which knows every field of every type and refuses others.
// Usage: node schemas.mjs FOLDER_OF_NODE_MODULES MANIFESTS.json…   (each an array of objects)
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [folder, ...files] = process.argv.slice(2);

function moduleOf(apiVersion, kind) {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  // "v1" and "apps" are as they stand; other groups of Kubernetes have their domain.
  for (const name of ['kubernetes-models', '@kubernetes-models/prometheus-operator']) {
    const path = [group, version, kind].filter(Boolean).join('/');
    if (existsSync(join(folder, 'node_modules', name, `${path}.js`))) return `${name}/${path}`;
  }
  throw new Error(`no published schema of ${apiVersion} ${kind}`);
}

let faults = 0;
const lines = [];
for (const file of files) {
  for (const manifest of JSON.parse(readFileSync(file, 'utf8'))) {
    const where = `${file}: ${manifest.kind}/${manifest.metadata?.name}`;
    const module = moduleOf(manifest.apiVersion, manifest.kind);
    const model = (await import(join(folder, 'node_modules', `${module}.js`)))[manifest.kind];
    try {
      new model(manifest).validate();
    } catch (fault) {
      faults += 1;
      console.log(`${where}: ${fault.message}`);
    }
    lines.push(`{const checked: import('${module}').I${manifest.kind} = ${JSON.stringify(manifest)}; void checked;} // ${where}`);
  }
}
writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'));
try {
  execFileSync(
    join(folder, 'node_modules/.bin/tsc'),
    ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--target', 'es2022', 'manifests.ts'],
    {cwd: folder, encoding: 'utf8'});
} catch (fault) {
  for (const line of fault.stdout.split('\n').filter((one) => one.startsWith('manifests.ts'))) {
    faults += 1;
    const at = Number(/\((\d+),/.exec(line)[1]);
    console.log(`${lines[at - 1].split('// ').pop()}: ${line.replace(/^manifests.ts\([^)]*\): /, '')}`);
  }
}
console.log(`${lines.length} manifests, ${faults} faults`);
process.exit(faults > 0 ? 1 : 0);
