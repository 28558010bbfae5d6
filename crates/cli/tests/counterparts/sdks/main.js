// Prints the id of the credentials that the SSO provider of the JavaScript SDK returns for AWS_PROFILE.
const { fromSSO } = require("@aws-sdk/credential-provider-sso");
fromSSO()().then(
  (credentials) => console.log(credentials.accessKeyId),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
