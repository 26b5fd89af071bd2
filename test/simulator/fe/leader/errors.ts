/** A failed connection in Java's words, as they end up in ErrMsg. */
export const javaError = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ECONNREFUSED":
      return "java.net.ConnectException: Connection refused";
    case "EHOSTUNREACH":
      return "java.net.NoRouteToHostException: No route to host";
    case "ENETUNREACH":
      return "java.net.ConnectException: Network is unreachable";
    case "ETIMEDOUT":
      return "java.net.SocketTimeoutException: Read timed out";
    case "ECONNRESET":
    case "EPIPE":
      return "java.net.SocketException: Connection reset";
    case "ENOTFOUND":
      return "java.net.UnknownHostException";
    default:
      return message;
  }
};
