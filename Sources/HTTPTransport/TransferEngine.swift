import CLibCurl
import Core
import Synchronization

/// The thread that carries all transfers, and the ways to reach it: new requests, cancellations, the end.
final class TransferEngine: Sendable {
    typealias Answer = Result<TransferResult, OutboundFailure>

    private struct Mailbox {
        var requests: [(id: UInt64, request: OutboundRequest, continuation: CheckedContinuation<Answer, Never>)] = []
        var cancelled: [UInt64] = []
        /// Every cancelled request that has not ended, so that one cancelled before it was taken is not started.
        var doomed: Set<UInt64> = []
        var nextID: UInt64 = 1
        var isStopped = false
    }

    private let mailbox = Mutex(Mailbox())
    private let wakeup: TransferWakeup?

    init(userAgent: String, trustedCertificatesFile: String?) {
        guard portal_curl_start() == CURLE_OK, let multi = curl_multi_init() else {
            wakeup = nil
            return
        }
        portal_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 200)
        portal_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 32)
        let wakeup = TransferWakeup(multi: multi)
        self.wakeup = wakeup
        OwnThread.launch(name: "http-out") { [self] in
            var loop = TransferLoop(
                multi: wakeup.multi, userAgent: userAgent, trustedCertificatesFile: trustedCertificatesFile)
            while true {
                let (requests, cancelled, isStopped) = takeMail()
                loop.cancel(cancelled)
                for entry in requests { loop.start(entry.id, entry.request, entry.continuation) }
                if isStopped { break }
                loop.step()
            }
            loop.failAll(.stopped)
            wakeup.close()
        }
    }

    private func takeMail() -> (
        [(id: UInt64, request: OutboundRequest, continuation: CheckedContinuation<Answer, Never>)], [UInt64], Bool
    ) {
        mailbox.withLock { mailbox in
            defer {
                mailbox.requests.removeAll()
                mailbox.cancelled.removeAll()
            }
            return (mailbox.requests, mailbox.cancelled, mailbox.isStopped)
        }
    }

    func run(_ request: OutboundRequest) async -> Answer {
        let id: UInt64 = mailbox.withLock { mailbox in
            mailbox.nextID += 1
            return mailbox.nextID
        }
        let answer: Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let refusal: OutboundFailure? = mailbox.withLock { mailbox in
                    if mailbox.isStopped || wakeup == nil { return .stopped }
                    if mailbox.doomed.contains(id) { return .cancelled }
                    mailbox.requests.append((id, request, continuation))
                    return nil
                }
                if let refusal { continuation.resume(returning: .failure(refusal)) } else { wakeup?.wake() }
            }
        } onCancel: {
            mailbox.withLock { mailbox in
                mailbox.doomed.insert(id)
                mailbox.cancelled.append(id)
            }
            wakeup?.wake()
        }
        mailbox.withLock { _ = $0.doomed.remove(id) }
        return answer
    }

    func stop() {
        mailbox.withLock { $0.isStopped = true }
        wakeup?.wake()
    }
}

/// The multi handle as other threads may touch it: only to wake its thread, which libcurl allows at any time.
private final class TransferWakeup: @unchecked Sendable {
    let multi: UnsafeMutableRawPointer
    private let isOpen = Mutex(true)

    init(multi: UnsafeMutableRawPointer) {
        self.multi = multi
    }

    func wake() {
        isOpen.withLock { if $0 { curl_multi_wakeup(multi) } }
    }

    func close() {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            isOpen = false
            curl_multi_cleanup(multi)
        }
    }
}

/// The transfers under way. Lives on the engine's thread.
private struct TransferLoop {
    private struct Entry {
        let transfer: Transfer
        let continuation: CheckedContinuation<TransferEngine.Answer, Never>
    }

    private let multi: UnsafeMutableRawPointer
    private let userAgent: String
    private let trustedCertificatesFile: String?
    private var entries: [UInt64: Entry] = [:]

    init(multi: UnsafeMutableRawPointer, userAgent: String, trustedCertificatesFile: String?) {
        self.multi = multi
        self.userAgent = userAgent
        self.trustedCertificatesFile = trustedCertificatesFile
    }

    mutating func start(
        _ id: UInt64, _ request: OutboundRequest, _ continuation: CheckedContinuation<TransferEngine.Answer, Never>
    ) {
        let transfer = Transfer(id: id, request: request)
        transfer.configure(userAgent: userAgent, trustedCertificatesFile: trustedCertificatesFile)
        guard let handle = transfer.handle, curl_multi_add_handle(multi, handle) == CURLM_OK else {
            continuation.resume(returning: .failure(.broken("the transfer could not be started")))
            return
        }
        entries[id] = Entry(transfer: transfer, continuation: continuation)
    }

    mutating func cancel(_ ids: [UInt64]) {
        for id in ids { end(id, .failure(.cancelled)) }
    }

    mutating func failAll(_ failure: OutboundFailure) {
        for id in Array(entries.keys) { end(id, .failure(failure)) }
    }

    private mutating func end(_ id: UInt64, _ answer: TransferEngine.Answer) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        if let handle = entry.transfer.handle { curl_multi_remove_handle(multi, handle) }
        entry.continuation.resume(returning: answer)
    }

    /// Moves every transfer on, answers the finished ones, and waits until something happens.
    mutating func step() {
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            let code: CURLcode = message.pointee.data.result
            var context: UnsafeMutableRawPointer?
            portal_curl_get_pointer(handle, CURLINFO_PRIVATE, &context)
            guard let context else { continue }
            let transfer: Transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            end(transfer.id, transfer.finish(code))
        }
        curl_multi_poll(multi, nil, 0, 1000, nil)
    }
}
