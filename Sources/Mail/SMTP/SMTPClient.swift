import CLibCurl
import Core

/// One connection to an SMTP server, kept between messages. Blocking: it belongs to one thread.
package final class SMTPClient {
    private let settings: SMTPSettings
    private let handle: UnsafeMutableRawPointer?
    private let exchange = SMTPExchange()
    private let flaw: String?

    package init(settings: SMTPSettings) {
        self.settings = settings
        do {
            try settings.validate()
            flaw = nil
        } catch {
            flaw = error.entries.map(\.message).joined(separator: " ")
        }
        handle = portal_curl_start() == CURLE_OK ? curl_easy_init() : nil
        if let handle { configure(handle) }
    }

    deinit {
        if let handle { curl_easy_cleanup(handle) }
    }

    private func configure(_ handle: UnsafeMutableRawPointer) {
        let context: UnsafeMutableRawPointer = Unmanaged.passUnretained(exchange).toOpaque()
        let curl = CurlOptions(handle)
        curl.set(CURLOPT_URL, settings.curlURL)
        curl.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        curl.set(CURLOPT_PROXY, "")
        curl.set(CURLOPT_NOSIGNAL, 1)
        curl.set(CURLOPT_UPLOAD, 1)
        curl.set(CURLOPT_UPLOAD_BUFFERSIZE, 16_384)
        curl.set(CURLOPT_CONNECTTIMEOUT, settings.connectTimeout)
        curl.set(CURLOPT_SERVER_RESPONSE_TIMEOUT, settings.answerTimeout)
        curl.set(CURLOPT_SSL_VERIFYPEER, 1)
        curl.set(CURLOPT_SSL_VERIFYHOST, 2)
        curl.set(CURLOPT_SASL_IR, 1)
        curl.set(
            CURLOPT_USE_SSL,
            settings.encryption == .none ? Int(CURLUSESSL_NONE.rawValue) : Int(CURLUSESSL_ALL.rawValue))
        if let file = settings.trustedCertificatesFile { curl.set(CURLOPT_CAINFO, file) }
        if let username = settings.username {
            curl.set(CURLOPT_USERNAME, username)
            curl.set(CURLOPT_PASSWORD, settings.password?.reveal() ?? "")
        }
        portal_curl_set_write(handle, CURLOPT_READFUNCTION, SMTPCallbacks.read)
        portal_curl_set_pointer(handle, CURLOPT_READDATA, context)
        portal_curl_set_write(handle, CURLOPT_HEADERFUNCTION, SMTPCallbacks.header)
        portal_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        portal_curl_set_prereq(handle, SMTPCallbacks.prereq)
        portal_curl_set_pointer(handle, CURLOPT_PREREQDATA, context)
    }

    /// Hands over one message and waits for the server's answer.
    ///
    /// A kept connection that turns out to be closed, or on which the server takes no further message for now, before
    /// anything of this message was taken, is replaced once.
    package func deliver(sender: String, recipient: String, message: UnsafeRawBufferPointer) -> SMTPOutcome {
        if let flaw { return .configuration(reason: flaw) }
        guard let handle else { return .configuration(reason: "The mail library could not be started.") }
        guard sender.isEmpty || WireAddress.isSafe(sender) else {
            return .configuration(reason: "The sender's address is not valid.")
        }
        guard WireAddress.isSafe(recipient) else {
            let reply = SMTPReply(
                stage: .recipient, code: 553, enhancedCode: "5.1.3", text: "The recipient's address is not valid.")
            return .rejected(reply)
        }
        guard let recipients = curl_slist_append(nil, recipient) else {
            return .unavailable(reason: "There is not enough memory.")
        }
        defer { curl_slist_free_all(recipients) }
        portal_curl_set_string(handle, CURLOPT_MAIL_FROM, sender)
        portal_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients)
        portal_curl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(message.count))
        defer { portal_curl_set_list(handle, CURLOPT_MAIL_RCPT, nil) }

        let first: SMTPOutcome = perform(handle, message)
        guard Self.mayFareBetterAnew(first), usedKeptConnection(handle) else { return first }
        portal_curl_set_long(handle, CURLOPT_FRESH_CONNECT, 1)
        defer { portal_curl_set_long(handle, CURLOPT_FRESH_CONNECT, 0) }
        return perform(handle, message)
    }

    /// Servers answer MAIL with 4xx when a session has brought as many messages as they allow (452 4.5.3).
    private static func mayFareBetterAnew(_ outcome: SMTPOutcome) -> Bool {
        switch outcome {
        case .unavailable: true
        case .deferred(let reply): reply.stage == .sender
        default: false
        }
    }

    package func deliver(sender: String, recipient: String, message: [UInt8]) -> SMTPOutcome {
        message.withUnsafeBytes { deliver(sender: sender, recipient: recipient, message: $0) }
    }

    private func perform(_ handle: UnsafeMutableRawPointer, _ message: UnsafeRawBufferPointer) -> SMTPOutcome {
        exchange.begin(message)
        let result: CURLcode = curl_easy_perform(handle)
        if result == CURLE_OK { return .accepted(exchange.reply) }
        return SMTPDiagnosis(settings: settings, exchange: exchange, result: result).outcome
    }

    private func usedKeptConnection(_ handle: UnsafeMutableRawPointer) -> Bool {
        var opened: Int = 0
        return portal_curl_get_long(handle, CURLINFO_NUM_CONNECTS, &opened) == CURLE_OK && opened == 0
    }

    /// Shows every byte of the dialogue to a transcript, for a test send.
    func record(into transcript: SMTPTranscript) {
        guard let handle else { return }
        portal_curl_set_debug(handle, SMTPTranscript.callback)
        portal_curl_set_pointer(handle, CURLOPT_DEBUGDATA, Unmanaged.passUnretained(transcript).toOpaque())
        portal_curl_set_long(handle, CURLOPT_VERBOSE, 1)
    }
}

/// Setting options; a refusal can only mean that this libcurl lacks the option, which shows when the handle is used.
struct CurlOptions {
    private let handle: UnsafeMutableRawPointer

    init(_ handle: UnsafeMutableRawPointer) {
        self.handle = handle
    }

    func set(_ option: CURLoption, _ value: Int) {
        portal_curl_set_long(handle, option, value)
    }

    func set(_ option: CURLoption, _ value: String) {
        portal_curl_set_string(handle, option, value)
    }
}
