import CLibCurl

/// A signed-in connection to an SMTP server. libcurl opens it: name, TLS, EHLO, STARTTLS and AUTH; from then on it carries
/// bytes, encrypted where that was asked for. Blocking: it belongs to one thread.
final class SMTPConnection {
    /// How a connection ended while something was still to be sent or read.
    enum Break: Error {
        case closed
        case timedOut
        /// What came is no SMTP.
        case nonsense

        var problem: String {
            switch self {
            case .closed: "the connection was closed"
            case .timedOut: "the server did not answer in time"
            case .nonsense: "the server's answer makes no sense"
            }
        }
    }

    private let settings: SMTPSettings
    private let handle: UnsafeMutableRawPointer
    private let greeting = SMTPGreeting()
    private var socket: curl_socket_t = CURL_SOCKET_BAD
    private var replies = SMTPReplyLines()
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 16)

    /// Nil when libcurl cannot be started.
    init?(settings: SMTPSettings, transcript: SMTPTranscript?) {
        guard portal_curl_start() == CURLE_OK, let handle = curl_easy_init() else { return nil }
        self.settings = settings
        self.handle = handle
        configure()
        if let transcript {
            portal_curl_set_debug(handle, SMTPTranscript.callback)
            portal_curl_set_pointer(handle, CURLOPT_DEBUGDATA, Unmanaged.passUnretained(transcript).toOpaque())
            portal_curl_set_long(handle, CURLOPT_VERBOSE, 1)
        }
    }

    deinit {
        // libcurl would say QUIT and wait for the answer.
        if socket != CURL_SOCKET_BAD { portal_socket_shutdown(socket) }
        curl_easy_cleanup(handle)
        scratch.deallocate()
    }

    private func configure() {
        let curl = CurlOptions(handle)
        curl.set(CURLOPT_URL, settings.curlURL)
        curl.set(CURLOPT_CONNECT_ONLY, 1)
        curl.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        curl.set(CURLOPT_PROXY, "")
        curl.set(CURLOPT_NOSIGNAL, 1)
        curl.set(CURLOPT_CONNECTTIMEOUT, settings.connectTimeout)
        curl.set(CURLOPT_SERVER_RESPONSE_TIMEOUT, settings.answerTimeout)
        curl.set(CURLOPT_SSL_VERIFYPEER, 1)
        curl.set(CURLOPT_SSL_VERIFYHOST, 2)
        curl.set(CURLOPT_SASL_IR, 1)
        curl.set(
            CURLOPT_USE_SSL,
            settings.encryption == .none ? Int(CURLUSESSL_NONE.rawValue) : Int(CURLUSESSL_ALL.rawValue))
        if let file = settings.trustedCertificatesFile { curl.set(CURLOPT_CAINFO, file) }
        // The system's are a directory, which libcurl goes on asking.
        if let certificates = settings.trustedCertificates { curl.set(CURLOPT_CAINFO_BLOB, bytes: certificates) }
        if let username = settings.username {
            curl.set(CURLOPT_USERNAME, username)
            curl.set(CURLOPT_PASSWORD, settings.password?.reveal() ?? "")
        }
        portal_curl_set_write(handle, CURLOPT_HEADERFUNCTION, SMTPGreeting.callback)
        portal_curl_set_pointer(handle, CURLOPT_HEADERDATA, Unmanaged.passUnretained(greeting).toOpaque())
    }

    /// What the server can do; known after ``open()``.
    var capabilities: SMTPCapabilities { greeting.capabilities }

    /// Connects and signs in. Nil when it worked, otherwise why not.
    func open() -> SMTPOutcome? {
        let result: CURLcode = curl_easy_perform(handle)
        guard result == CURLE_OK else {
            return SMTPDiagnosis(settings: settings, lastReply: greeting.lastReply, result: result).outcome
        }
        var opened: curl_socket_t = CURL_SOCKET_BAD
        guard portal_curl_get_socket(handle, &opened) == CURLE_OK, opened != CURL_SOCKET_BAD else {
            return .unavailable(reason: "\(settings.host) closed the connection.")
        }
        socket = opened
        return nil
    }

    /// Sends all bytes.
    /// - Parameter taken: how many bytes left this process, also when it throws.
    func send(_ bytes: [UInt8], taken: inout Int) throws(Break) {
        taken = 0
        while taken < bytes.count {
            var count = 0
            let from: Int = taken
            let result: CURLcode = bytes.withUnsafeBytes { buffer in
                curl_easy_send(handle, buffer.baseAddress.map { $0 + from }, buffer.count - from, &count)
            }
            taken += count
            switch result {
            case CURLE_OK: break
            case CURLE_AGAIN:
                var limit: ContinuousClock.Instant?
                try wait(portal_socket_wait_writable, until: &limit)
            default: throw .closed
            }
        }
    }

    /// The next complete reply: its lines, with their line ends. The time limit holds for the whole of it: a server that
    /// goes on line by line without end must not hold the connection.
    func nextReply() throws(Break) -> [UInt8] {
        var mayBeReady = false
        var limit: ContinuousClock.Instant?
        while true {
            if let reply = try replies.next() { return reply }
            // What came through TLS may wait inside the library, where poll does not see it.
            if !mayBeReady, settings.encryption == .none {
                try wait(portal_socket_wait_readable, until: &limit)
            }
            mayBeReady = true
            var count = 0
            switch curl_easy_recv(handle, scratch.baseAddress, scratch.count, &count) {
            case CURLE_OK:
                guard count > 0 else { throw .closed }
                replies.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
            case CURLE_AGAIN: try wait(portal_socket_wait_readable, until: &limit)
            default: throw .closed
            }
        }
    }

    /// - Parameter limit: when to give up; set by the first wait.
    private func wait(
        _ ready: (curl_socket_t, Int32) -> Int32, until limit: inout ContinuousClock.Instant?
    ) throws(Break) {
        let now: ContinuousClock.Instant = .now
        let end: ContinuousClock.Instant = limit ?? now + .seconds(settings.answerTimeout)
        limit = end
        let left: Duration = end - now
        guard left > .zero else { throw .timedOut }
        let milliseconds: Int64 = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
        switch ready(socket, Int32(clamping: max(1, milliseconds))) {
        case 1...: return
        case 0: throw .timedOut
        default: throw .closed
        }
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

    /// A text that libcurl takes as bytes and copies.
    func set(_ option: CURLoption, bytes value: String) {
        let bytes: [UInt8] = Array(value.utf8)
        portal_curl_set_blob(handle, option, bytes, bytes.count)
    }
}
