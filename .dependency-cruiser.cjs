// Imports point downwards only: protocols → broker → storage; the environment, errors and records lie below all.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  comment: `${from} may import only: ${allowed.join(', ')}`,
  from: { path: `^src/${from}/`, pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: [from, ...allowed].map((folder) => `^src/${folder}(/|\\.ts$)`) },
});
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    only('environment-below-all', 'environment', ['errors']),
    only('records-below-storage', 'records', ['errors']),
    only('storage-below-broker', 'storage', ['errors', 'environment', 'records']),
    only('broker-below-protocols', 'broker', ['errors', 'environment', 'records', 'storage']),
    only('protocols-above-broker', 'protocols', ['errors', 'environment', 'records', 'broker']),
    {
      name: 'protocols-apart',
      severity: 'error',
      comment: 'a protocol imports nothing of another protocol',
      from: { path: '^src/protocols/([^/]+)/' },
      to: { path: '^src/protocols/[^/]+/', pathNot: '^src/protocols/$1/' },
    },
    {
      name: 'broker-by-its-face',
      severity: 'error',
      comment: 'a protocol calls the broker through its public face',
      from: { path: '^src/protocols/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/broker/', pathNot: '^src/broker/index\\.ts$' },
    },
    {
      name: 'console-apart',
      severity: 'error',
      comment: 'of the broker the console has only the types of what the API answers',
      from: { path: '^console/' },
      to: { path: '^(src|test|bench)/', pathNot: '^src/protocols/http/shapes/' },
    },
    {
      name: 'console-takes-types-only',
      severity: 'error',
      from: { path: '^console/' },
      to: { path: '^src/', dependencyTypesNot: ['type-only'] },
    },
    { name: 'src-without-console', severity: 'error', from: { path: '^src/', pathNot: '\\.test\\.ts$' }, to: { path: '^console/' } },
    { name: 'no-circles', severity: 'error', from: { path: '^(src|console)/' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'no-dev-dependencies-in-source',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(test|contract)\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '^node_modules/(@types|@nats-io)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^console/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
