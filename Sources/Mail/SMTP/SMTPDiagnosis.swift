import CLibCurl

/// Says why no signed-in connection came about.
struct SMTPDiagnosis {
    let settings: SMTPSettings
    /// The server's last words.
    let lastReply: SMTPReply?
    let result: CURLcode

    var outcome: SMTPOutcome {
        let said: String = lastReply.map { " The server said: \($0.line)" } ?? ""
        let isForNow: Bool = lastReply.map { $0.code / 100 == 4 } ?? false
        switch result {
        case CURLE_LOGIN_DENIED:
            if isForNow { return .unavailable(reason: "The sign-in failed for now.\(said)") }
            return .configuration(reason: "The server refused the user name or password.\(said)")
        case CURLE_USE_SSL_FAILED:
            if isForNow { return .unavailable(reason: "Encryption failed for now.\(said)") }
            return .configuration(reason: "The server does not offer encryption (STARTTLS) on port \(settings.port).")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
            return .configuration(reason: "The encrypted connection failed: \(problem).")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_FAILED_INIT, CURLE_NOT_BUILT_IN:
            return .configuration(reason: "The server's address cannot be used.")
        case CURLE_COULDNT_RESOLVE_HOST:
            return .unavailable(reason: "There is no server named \(settings.host).")
        case CURLE_COULDNT_CONNECT:
            return .unavailable(reason: "Nothing answers at \(settings.host), port \(settings.port).")
        case CURLE_OPERATION_TIMEDOUT:
            return .unavailable(reason: "\(settings.host) did not answer in time.\(said)")
        default:
            return .unavailable(reason: "\(settings.host) ended the conversation: \(problem).\(said)")
        }
    }

    private var problem: String {
        switch result {
        case CURLE_RECV_ERROR, CURLE_GOT_NOTHING: "the connection was closed"
        case CURLE_SEND_ERROR: "the connection was closed while sending"
        case CURLE_WEIRD_SERVER_REPLY: "the server's answer makes no sense"
        case CURLE_PEER_FAILED_VERIFICATION: "the server's certificate is not trusted or belongs to another name"
        case CURLE_SSL_CONNECT_ERROR: "the server does not speak TLS on port \(settings.port) as expected"
        default: String(cString: curl_easy_strerror(result)).lowercased()
        }
    }
}
