// Prints the id of the credentials that a provider of the JavaScript SDK returns for AWS_PROFILE: that of login sessions when
// the first argument is `login`, else that of SSO.
const { fromLoginCredentials } = require("@aws-sdk/credential-provider-login");
const { fromSSO } = require("@aws-sdk/credential-provider-sso");
const provider = process.argv[2] === "login" ? fromLoginCredentials() : fromSSO();
provider().then(
  (credentials) => console.log(credentials.accessKeyId),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
