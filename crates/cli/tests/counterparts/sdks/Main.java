import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;

/** Prints the id of the credentials that the Java SDK returns for AWS_PROFILE, else by its default. */
class Main {
    public static void main(String[] arguments) {
        AwsCredentialsProvider provider = System.getenv("AWS_PROFILE") != null
                ? ProfileCredentialsProvider.create()
                : DefaultCredentialsProvider.builder().build();
        System.out.println(provider.resolveCredentials().accessKeyId());
    }
}
