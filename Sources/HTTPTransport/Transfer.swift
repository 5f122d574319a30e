import CLibCurl
import Glibc

/// What one exchange gave: the response, and the absolute URL it redirects to, if it does.
struct TransferResult: Sendable {
    let response: OutboundResponse
    let redirect: String?
}

/// One exchange with its easy handle. Made, used and freed on the engine's thread only.
final class Transfer {
    let id: UInt64
    let request: OutboundRequest
    private(set) var handle: UnsafeMutableRawPointer?
    private let body: UnsafeMutableBufferPointer<UInt8>
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var received: [UInt8] = []
    /// What a callback found, which is more telling than libcurl's result.
    private var finding: OutboundFailure?

    private static let headerLimit = 65_536

    init(id: UInt64, request: OutboundRequest) {
        self.id = id
        self.request = request
        body = UnsafeMutableBufferPointer.allocate(capacity: request.body.count)
        _ = body.initialize(from: request.body)
        handle = curl_easy_init()
    }

    deinit {
        if let handle { curl_easy_cleanup(handle) }
        curl_slist_free_all(headerList)
        body.deallocate()
    }

    func configure(userAgent: String, trustedCertificatesFile: String?) {
        guard let handle else { return }
        func set(_ option: CURLoption, _ value: Int) { portal_curl_set_long(handle, option, value) }
        func set(_ option: CURLoption, _ value: String) { portal_curl_set_string(handle, option, value) }
        let isUser: Bool = request.trust != .operatorSetting
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PROTOCOLS_STR, request.trust == .user ? "https" : "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout)
        set(CURLOPT_TIMEOUT_MS, request.timeout)
        set(CURLOPT_LOW_SPEED_LIMIT, 1)
        set(CURLOPT_LOW_SPEED_TIME, 30)
        set(CURLOPT_ACCEPT_ENCODING, "")
        set(CURLOPT_USERAGENT, userAgent)
        if let trustedCertificatesFile { set(CURLOPT_CAINFO, trustedCertificatesFile) }
        // A kept connection was checked for whoever opened it, so a user's request opens its own.
        set(CURLOPT_FRESH_CONNECT, isUser ? 1 : 0)
        set(CURLOPT_FORBID_REUSE, isUser ? 1 : 0)
        configureBody(handle, set)
        configureCallbacks(handle)
    }

    private func configureBody(_ handle: UnsafeMutableRawPointer, _ set: (CURLoption, Int) -> Void) {
        var list: UnsafeMutablePointer<curl_slist>? = nil
        var names: Set<String> = []
        for (name, value) in request.headers {
            names.insert(name.lowercased())
            list = curl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)") ?? list
        }
        if !names.contains("expect") { list = curl_slist_append(list, "Expect:") ?? list }
        if !names.contains("content-type") { list = curl_slist_append(list, "Content-Type:") ?? list }
        headerList = list
        portal_curl_set_list(handle, CURLOPT_HTTPHEADER, list)
        switch request.method {
        case .get: set(CURLOPT_HTTPGET, 1)
        case .head: set(CURLOPT_NOBODY, 1)
        case .post, .put, .patch, .delete:
            if request.method != .delete || !request.body.isEmpty {
                set(CURLOPT_POST, 1)
                portal_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
                portal_curl_set_pointer(handle, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(body.baseAddress))
            }
            portal_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
    }

    private func configureCallbacks(_ handle: UnsafeMutableRawPointer) {
        let context: UnsafeMutableRawPointer = Unmanaged.passUnretained(self).toOpaque()
        portal_curl_set_write(handle, CURLOPT_WRITEFUNCTION, TransferCallbacks.body)
        portal_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        portal_curl_set_write(handle, CURLOPT_HEADERFUNCTION, TransferCallbacks.header)
        portal_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        portal_curl_set_opensocket(handle, TransferCallbacks.openSocket)
        portal_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, context)
        portal_curl_set_pointer(handle, CURLOPT_PRIVATE, context)
    }

    // MARK: Callbacks

    func take(body bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard received.count + bytes.count <= request.responseLimit else {
            finding = .tooLarge
            return false
        }
        received.append(contentsOf: bytes)
        return true
    }

    func take(header bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        headerBytes += bytes.count
        guard headerBytes <= Self.headerLimit else {
            finding = .tooLarge
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            headers.removeAll()
        } else if let colon = line.firstIndex(of: ":") {
            let value: Substring = line[line.index(after: colon)...]
            headers.append((String(line[..<colon]), Self.trimmed(value)))
        }
        return true
    }

    private static func trimmed(_ text: Substring) -> String {
        let start: Substring = text.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }

    /// The last and decisive check: the address that is really connected to.
    func allows(_ address: UnsafeRawPointer, family: Int32) -> Bool {
        guard request.trust != .operatorSetting else { return true }
        if let bytes = AddressGuard.bytes(of: address, family: family), AddressGuard.isPublic(bytes) { return true }
        finding = .blockedAddress
        return false
    }

    // MARK: The end

    func finish(_ code: CURLcode) -> Result<TransferResult, OutboundFailure> {
        guard code == CURLE_OK, let handle else { return .failure(finding ?? failure(code)) }
        var status: Int = 0
        portal_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        var redirect: UnsafeMutablePointer<CChar>?
        portal_curl_get_string(handle, CURLINFO_REDIRECT_URL, &redirect)
        let response = OutboundResponse(status: status, headers: headers, body: received, url: request.url)
        let isRedirect: Bool = [301, 302, 303, 307, 308].contains(status)
        return .success(
            TransferResult(response: response, redirect: isRedirect ? redirect.map { String(cString: $0) } : nil))
    }

    private func failure(_ code: CURLcode) -> OutboundFailure {
        switch code {
        case CURLE_OPERATION_TIMEDOUT: return .timedOut
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT:
            // A user learns the same whether a port is closed or a name unknown.
            do {
                return .unreachable(try OutboundURL(request.url, trust: .operatorSetting).host)
            } catch {
                return error
            }
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE: return .untrustedCertificate
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .invalidURL("This is not a valid address.")
        default: return .broken(String(cString: curl_easy_strerror(code)).lowercased())
        }
    }
}
