<?php
// The whole exchange with PHP's SoapClient, in one version of SOAP; prints one JSON object.
// php client.php WSDL 1.1|1.2 SENDER_KEY RECEIVER_KEY DELIVERY_ID < packet.edxml    (keys are keyid.secret)
[, $wsdl, $version, $senderKey, $receiverKey] = $argv;

function exchange(string $wsdl, string $version, string $key): SoapClient
{
    [$id, $secret] = explode('.', $key, 2);
    return new SoapClient($wsdl, [
        'soap_version' => $version === '1.2' ? SOAP_1_2 : SOAP_1_1,
        'login' => $id,
        'password' => $secret,
        'cache_wsdl' => WSDL_CACHE_NONE,
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
    ]);
}

$packet = stream_get_contents(STDIN);
$sender = exchange($wsdl, $version, $senderKey);
$receiver = exchange($wsdl, $version, $receiverKey);

$sent = $sender->SendPackage(['package' => $packet, 'idempotencyKey' => "php-$version-" . bin2hex(random_bytes(8))]);
$again = $sender->SendPackage(['package' => $packet]);
$waiting = [];
$after = 0;
do {
    $page = $receiver->ListPending(['limit' => 100, 'after' => $after]);
    foreach ($page->item ?? [] as $item) {
        $waiting[$item->messageId] = $item;
    }
    $after = $page->next;
} while ($after);
$item = $waiting[$sent->messageId];
$got = $receiver->GetPackage(['deliveryId' => $item->deliveryId]);
$status = $receiver->UpdateStatus([
    'deliveryId' => $item->deliveryId,
    'statusCode' => '03',
    'description' => 'Đã vào sổ',
    'staff' => ['staff' => 'Lê Thị Hoa'],
]);
$confirmed = $receiver->ConfirmReceived(['deliveryId' => $item->deliveryId]);

$fault = null;
try {
    $sender->SendPackage(['package' => 'not XML at all']);
} catch (SoapFault $caught) {
    $fault = ['faultcode' => $caught->faultcode, 'text' => $caught->getMessage(), 'detail' => $caught->detail->HubFault];
}
$unauthenticated = null;
try {
    (new SoapClient($wsdl, ['cache_wsdl' => WSDL_CACHE_NONE]))->ListPending([]);
} catch (SoapFault $caught) {
    $unauthenticated = $caught->getMessage();
}
echo json_encode([
    'messageId' => $sent->messageId,
    'receiptNames' => json_decode($sent->receipt)->message_id,
    'sameReceipt' => $again->receipt === $sent->receipt,
    'repeated' => [$sent->repeated, $again->repeated],
    'samePacket' => $got->package === $packet,
    'sha256' => $got->sha256,
    'title' => $item->title,
    'statusMessage' => $status->messageId,
    'state' => $confirmed->state,
    'fault' => $fault,
    'unauthenticated' => $unauthenticated,
], JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";
