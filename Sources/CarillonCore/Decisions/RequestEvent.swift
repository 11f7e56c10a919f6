/// What happens to the request machine.
package enum RequestEvent: Sendable {
    /// A client sent a request. The runner gives each request an id that is never used twice.
    case requested(RequestID, Request, from: ConnectionID)
    /// The answer to `RequestAction.read`.
    case read(RequestID, RequestReadResult)
    /// The dispatcher's answer to `RequestAction.change`.
    case changed(RequestID, ChangeResult)
    /// The client's connection ended: nobody waits for its replies.
    case connectionEnded(ConnectionID)
    case leadershipChanged(LeadershipStatus)
    /// The dispatcher has ended and answers no changes.
    case stopped
}

/// What the runner is to do for a request.
package enum RequestAction: Sendable {
    case read(RequestID, RequestRead)
    /// Hands a change to the dispatcher.
    case change(RequestID, ChangeRequest)
    /// Hands a row to the dispatcher that may be newer than its memory. The change that follows is judged after it.
    case refresh(PlannedJob)
    /// The last action for a request, except for one that started a watch.
    case reply(RequestID, RequestReply)
    /// Sends executions to the client as they change, all of them or one job's.
    case startWatch(RequestID, JobID?)
    /// Ends the watch that was started under the request id.
    case endWatch(RequestID, ClientError)
    /// Ends the watch that the client started with the same message id on the same connection.
    case stopWatch(RequestID)
    /// Ends the watches of all clients.
    case endAllWatches(ClientError)
}
