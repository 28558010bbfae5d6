// Prints the id of the credentials that a provider of the JavaScript SDK returns: for AWS_PROFILE, that of login sessions when
// the first argument is `login`, that of its process when it is `process`, else that of SSO; without AWS_PROFILE the default.
const { fromLoginCredentials } = require("@aws-sdk/credential-provider-login");
const { defaultProvider } = require("@aws-sdk/credential-provider-node");
const { fromProcess } = require("@aws-sdk/credential-provider-process");
const { fromSSO } = require("@aws-sdk/credential-provider-sso");
const providers = { login: fromLoginCredentials, process: fromProcess };
const provider = (process.env.AWS_PROFILE ? (providers[process.argv[2]] ?? fromSSO) : defaultProvider)();
provider().then(
  (credentials) => console.log(credentials.accessKeyId),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
