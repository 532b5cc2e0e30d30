/** A dialog with its title and a way out. */
import type { ReactNode } from 'react';
import { Button, Dialog as Aria, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useWords } from '../language/language.tsx';

interface Props {
  title: string;
  isOpen: boolean;
  close: () => void;
  children: ReactNode;
}

export function Dialog({ title, isOpen, close, children }: Props) {
  const { t } = useWords();
  return (
    <ModalOverlay className="overlay" isOpen={isOpen} onOpenChange={(open) => !open && close()} isDismissable>
      <Modal className="modal">
        <Aria className="dialog">
          <header className="line">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <Button className="plain" aria-label={t('close')} onPress={close}>
              ✕
            </Button>
          </header>
          {children}
        </Aria>
      </Modal>
    </ModalOverlay>
  );
}
