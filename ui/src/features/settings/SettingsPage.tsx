import { useParams } from "@tanstack/react-router";

import { Page } from "@/app/Page";
import { AccountFrame } from "@/features/account/AccountFrame";

import { PLATFORM } from "./queries";
import { SettingsForm } from "./SettingsForm";

export function PlatformSettingsPage() {
  return (
    <Page title="Settings of the platform">
      <SettingsForm owner={PLATFORM} />
    </Page>
  );
}

export function AccountSettingsPage() {
  const { account } = useParams({ from: "/accounts/$account/settings" });
  return (
    <AccountFrame account={account} title={`Settings of ${account}`}>
      {() => <SettingsForm owner={account} />}
    </AccountFrame>
  );
}
