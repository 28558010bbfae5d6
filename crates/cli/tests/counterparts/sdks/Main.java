import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;

/** Prints the id of the credentials that the Java SDK returns for AWS_PROFILE. */
class Main {
    public static void main(String[] arguments) {
        try (ProfileCredentialsProvider provider = ProfileCredentialsProvider.create()) {
            System.out.println(provider.resolveCredentials().accessKeyId());
        }
    }
}
