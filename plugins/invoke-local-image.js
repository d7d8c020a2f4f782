'use strict';

// Makes `serverless invoke local -f NAME` work for a function that is an image, with the project's own Python.
//
// The framework refuses such a function in its own `before:invoke:local:loadEnvVars` hook, which runs before any plugin's.
// Only `initialize` is earlier, so the swap from image to handler is made there, and only for this command: packaging
// and deploying never see it. The handler is the image's command, the very string that Lambda starts the image with.

const fs = require('fs');
const path = require('path');

class InvokeLocalImage {
  constructor(serverless) {
    this.hooks = {
      initialize: () => {
        const { commands, options } = serverless.processedInput;
        if (commands.join(' ') === 'invoke local') prepare(serverless, options.function);
      },
    };
  }
}

function prepare({ service, serviceDir, classes }, name) {
  const fn = service.functions[name];
  if (!fn || !fn.image) return; // the framework says what is wrong
  const command = fn.image.command || [];
  if (command.length !== 1) {
    throw new classes.Error(`Function "${name}" cannot run locally: give its image a command of one "module.function"`);
  }
  fn.handler = command[0];
  fn.runtime = 'python3.12'; // a name the framework accepts; what runs is the first python3 on PATH
  delete fn.image;

  fn.environment = localEnvironment({ ...service.provider.environment, ...fn.environment }, service.custom.invokeLocal);
  service.provider.environment = {};
  usePython(path.join(serviceDir, '.venv'));
}

// What only CloudFormation knows (Ref, Fn::Sub) would need an account. The shell's value wins, then the local default.
function localEnvironment(deployed, defaults) {
  const literal = Object.entries(deployed).filter(([, value]) => value !== null && typeof value !== 'object');
  const local = { ...Object.fromEntries(literal), ...defaults };
  return Object.fromEntries(Object.entries(local).map(([key, value]) => [key, process.env[key] ?? value]));
}

function usePython(venv) {
  if (!process.env.VIRTUAL_ENV && fs.existsSync(venv)) process.env.VIRTUAL_ENV = venv; // its bin goes first on PATH
  process.env.AWS_EC2_METADATA_DISABLED ??= 'true'; // else seconds are spent looking for credentials that no laptop has
}

module.exports = InvokeLocalImage;
